"""Idempotency keys: the answer to a write is stored with its effect, and given again to a repeat.

The key's row and the effect are one transaction, so there is no moment at which one is there without the
other. While the first request runs, an advisory lock of its transaction tells a second one to come back.
Errors are not stored: a request that failed changed nothing and may be sent again.
Annotations are kept as objects here, because FastAPI reads those of inner functions at run time.

Source:
    draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from kourse.contracts.errors import (
    IdempotencyKeyBusy,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    Malformed,
)
from kourse.kit.db import Transaction, statement

V = TypeVar("V", bound=BaseModel | None)
DAY = timedelta(days=1)
HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
BUSY_RETRY_AFTER_S = 1.0
ANONYMOUS = "-"
_KEY = re.compile(r"[\x21-\x7e]{16,64}")

_LOCK = "SELECT pg_try_advisory_xact_lock(:lock)"
_WHERE = (
    "WHERE tenant = :tenant AND subject = :subject AND method = :method"
    " AND route = :route AND key = :key"
)
_EXPIRE = (
    "DELETE FROM {schema}.idempotency_key {where} AND expires_at <= clock_timestamp()"
).replace("{where}", _WHERE)
_FIND = ("SELECT fingerprint, status, body FROM {schema}.idempotency_key {where}").replace(
    "{where}", _WHERE
)
_STORE = """
INSERT INTO {schema}.idempotency_key
  (tenant, subject, method, route, key, fingerprint, status, body, expires_at)
VALUES (:tenant, :subject, :method, :route, :key, :fingerprint, :status, :body,
  clock_timestamp() + CAST(:keep AS interval))
"""


class Replayed(Exception):
    """Ends a request whose answer is known; ``replay`` turns it into that answer.

    Attributes:
        status: The stored status.
        body: The stored body, JSON or empty.
    """

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


async def replay(_: Request, replayed: Replayed) -> Response:
    """The stored answer; the exception handler of ``Replayed``."""
    return Response(
        replayed.body,
        replayed.status,
        headers={REPLAYED_HEADER: "true"},
        media_type="application/json" if replayed.body else None,
    )


@dataclass(frozen=True)
class IdempotencyKey:
    """The request's key with what it is bound to; ``key`` is None when the client sent none."""

    key: str | None
    tenant: str
    subject: str
    method: str
    route: str
    fingerprint: bytes

    async def remember(self, tx: AsyncSession, status: int, view: V, *, keep: timedelta = DAY) -> V:
        """Stores the answer in the effect's transaction, to be given again to a repeat.

        Never call it with an answer that holds a secret.

        Args:
            tx: The transaction of the effect.
            status: Status of the answer.
            view: Body of the answer, or None for an empty one.
            keep: How long a repeat is recognised.

        Returns:
            ``view``.
        """
        if self.key is not None:
            body = b"" if view is None else view.model_dump_json(by_alias=True).encode()
            stored = self._named() | {
                "fingerprint": self.fingerprint,
                "status": status,
                "body": body,
                "keep": keep,
            }
            await tx.execute(statement(tx.info["schema"], _STORE), stored)
        return view

    async def check(self, tx: AsyncSession) -> None:
        """Returns when the request is the first with its key; its key is then locked until the commit.

        Raises:
            IdempotencyKeyBusy: The first one is still running.
            IdempotencyKeyReused: The key came before with another request.
            Replayed: The answer is known.
        """
        schema = tx.info["schema"]
        lock = {"lock": self._lock(schema)}
        if not (await tx.execute(statement(schema, _LOCK), lock)).scalar_one():
            raise IdempotencyKeyBusy(retry_after_s=BUSY_RETRY_AFTER_S)
        await tx.execute(statement(schema, _EXPIRE), self._named())
        found = (await tx.execute(statement(schema, _FIND), self._named())).one_or_none()
        if found is None:
            return
        if found.fingerprint != self.fingerprint:
            raise IdempotencyKeyReused
        raise Replayed(found.status, found.body)

    def _named(self) -> dict[str, Any]:
        return {
            "tenant": self.tenant,
            "subject": self.subject,
            "method": self.method,
            "route": self.route,
            "key": self.key,
        }

    def _lock(self, schema: str) -> int:
        scope = "\0".join((schema, *map(str, self._named().values())))
        return int.from_bytes(hashlib.sha256(scope.encode()).digest()[:8], signed=True)


def fingerprint(method: str, target: str, body: bytes) -> bytes:
    """SHA-256 that tells one request from another: method, path with query, and the body's bytes."""
    parts = (method.encode(), target.encode(), body)
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def well_formed(key: str) -> str:
    """The key, when it is one: a UUID or any 16 to 64 visible ASCII characters.

    Raises:
        Malformed: It is not.
    """
    if _KEY.fullmatch(key) is None:
        raise Malformed(f"{HEADER} must be a UUID, or 16 to 64 visible ASCII characters.")
    return key


def idempotency(*, required: bool = False) -> Any:
    """What stands in ``Annotated[IdempotencyKey, …]`` of a route that takes a key.

    It shares the route's ``Transaction`` and ends the request before the endpoint when the answer is
    known. Put it after ``actor``, so that permissions are checked first.

    Args:
        required: Whether a request without a key is refused.
    """

    async def look_up(
        request: Request,
        tx: Transaction,
        key: Annotated[
            str | None,
            Header(
                alias=HEADER,
                description=("Required. " if required else "")
                + "A UUID that is new for each intended change and the same in each repeat of it.",
            ),
        ] = None,
    ) -> IdempotencyKey:
        if key is None and required:
            raise IdempotencyKeyMissing
        bound = await _bind(request, tx, None if key is None else well_formed(key))
        if bound.key is not None:
            await bound.check(tx)
        return bound

    return Depends(look_up)


async def _bind(request: Request, tx: AsyncSession, key: str | None) -> IdempotencyKey:
    actor = getattr(request.state, "actor", None)
    target = f"{request.scope['path']}?{request.scope['query_string'].decode('latin-1')}"
    return IdempotencyKey(
        key=key,
        tenant=tx.info["tenant"],
        subject=str(actor.user_id) if actor is not None else ANONYMOUS,
        method=request.method,
        route=request.scope["route"].path,
        fingerprint=fingerprint(request.method, target, await request.body()),
    )
