"""Idempotency keys: the answer to a write is stored with its effect, and given again to a repeat."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

V = TypeVar("V", bound=BaseModel)
DAY = timedelta(days=1)


class Replayed(Exception):  # noqa: N818
    """Ends a request whose answer is known; ``replay`` turns it into that answer."""


async def replay(request: Request, replayed: Replayed) -> Response:
    """The stored answer; register it as the exception handler of ``Replayed``."""
    raise NotImplementedError


class IdempotencyKey:
    """The request's key, or none."""

    async def remember(self, tx: AsyncSession, status: int, view: V, *, keep: timedelta = DAY) -> V:
        """Stores the answer in the effect's transaction and returns ``view``."""
        raise NotImplementedError


def idempotency(*, required: bool = False) -> Any:
    """Dependency: ``key: Annotated[IdempotencyKey, idempotency(required=True)]``."""
    return Depends()
