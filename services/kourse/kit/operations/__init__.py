"""What people may do about events that stand aside: look, replay, drop, publish again; by REST, in every service."""

from kourse.kit.operations.router import operations_router

__all__ = ["operations_router"]
