"""Identifiers of everything that is not declared: sorted by time, so that indexes grow at one end."""

from __future__ import annotations

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A new UUIDv7 (RFC 9562) as a standard-library UUID."""
    return uuid_utils.compat.uuid7()
