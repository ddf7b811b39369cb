"""The services of this tree and their modules."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from kourse.contracts.names import SERVICES

GATEWAY = "gateway"


def names() -> tuple[str, ...]:
    """Every service with settings, the gateway last."""
    return (*SERVICES, GATEWAY)


def import_from(service: str, module: str) -> ModuleType | None:
    """A module of a service, or None where the service has none."""
    wanted = f"kourse.{service}.{module}"
    try:
        return import_module(wanted)
    except ModuleNotFoundError as error:
        if error.name in {wanted, f"kourse.{service}"}:
            return None
        raise
