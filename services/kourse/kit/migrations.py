"""Alembic, one chain per service, under a role that owns everything and that no service uses."""

from __future__ import annotations

from sqlalchemy import MetaData

from kourse.kit.db import Database


def run(service: str, metadata: MetaData) -> None:
    """The whole body of a service's ``migrations/env.py``."""
    raise NotImplementedError


def create_platform(schema: str) -> None:
    """Creates the kit's tables; first in every initial revision. Tenancy and grants included."""
    raise NotImplementedError


def enable_tenancy(table: str, schema: str, *, worker: str = "") -> None:
    """Row-level security, forced, by tenant; ``worker`` names privileges of the worker role, across tenants."""
    raise NotImplementedError


def grant(schema: str, service: str, operator_tables: tuple[str, ...] = ()) -> None:
    """Rights of the application, worker and operator roles; last in every revision that adds tables."""
    raise NotImplementedError


def head(service: str) -> str:
    """Newest revision of the service's chain in this build."""
    raise NotImplementedError


async def at_head(database: Database) -> bool:
    """Whether the schema stands at this build's head, or beyond it."""
    raise NotImplementedError


async def wait_for_head(database: Database, *, poll_s: float = 1.0) -> None:
    """Returns once the schema stands at this build's head or beyond."""
    raise NotImplementedError
