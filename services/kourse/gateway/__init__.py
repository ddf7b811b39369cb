"""The gateway: one address for all services.

It owns nothing but short-lived caches. What is not in ``routes.json`` does not exist, every token is
checked here and again by the service, and nothing that a client says about itself is passed on.
"""
