"""What every part of the platform may know: resources, events, permissions, errors and names.

Standard library and pydantic only; nothing here performs I/O.
"""
