"""What developers run on their own machine: installers, the local stack, generators and benchmarks.

Nothing here is in the wheel; everything is run from the root of a clone as ``python -m hack.<name>``.
"""
