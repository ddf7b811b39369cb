"""The local stack: the real servers, the operator and the services as children of one supervisor.

``python -m hack.stack up`` brings it up; tests call ``hack.stack.lifecycle.ensure``.
"""
