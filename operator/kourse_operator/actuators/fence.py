"""Transactions that only the newest leader's can be.

The term stands in the ledger, in a tenant's room that no namespace can name. Every transaction of the
operator holds that row shared; the first one of a new term changes it, which waits for those of the term
before and shuts out all later ones. So a leader that was stopped in the middle of its work and goes on
long after another took over can write nothing, however its clock went.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import names
from kourse.kit.db import Database
from kourse_operator.engine.leadership import Leadership, Term
from kourse_operator.errors import NotLeading

ROOM = "*"
"""Not a DNS label, so no tenant's."""
KIND, NAME = "Lease", "operator"
_HOLD = text(
    "SELECT 1 FROM course.document WHERE tenant = :room AND kind = :kind AND name = :name"
    " AND uid = :lease AND generation = :number FOR SHARE"
)
_TAKE = text(
    "INSERT INTO course.document AS held"
    " (tenant, kind, name, id, source, uid, generation, digest, spec)"
    " VALUES (:room, :kind, :name, :id, 'resource', :lease, :number, '', '{}')"
    " ON CONFLICT (tenant, kind, name) DO UPDATE"
    " SET uid = excluded.uid, generation = excluded.generation, updated_at = clock_timestamp()"
    " WHERE held.uid <> excluded.uid OR held.generation <= excluded.generation RETURNING 1"
)
_SET_TENANT = text("SELECT set_config('app.tenant', :tenant, true)")


class Fence:
    """The term as the ledger knows it, shared by all pools of one process."""

    def __init__(self, leadership: Leadership) -> None:
        """Stands for no term yet."""
        self._leadership = leadership
        self._taken: Term | None = None
        self._taking = asyncio.Lock()

    async def begin(
        self, open_room: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    ) -> Term:
        """The present term, which the ledger knows from now on at the latest.

        A term is taken once: what finds it replaced later is shut out for good.

        Raises:
            NotLeading: The term is over.
        """
        async with self._taking:
            term = self._leadership.require()
            if self._taken != term:
                async with open_room() as tx:
                    await _take(tx, term)
                self._taken = term
        return term


class FencedDatabase(Database):
    """A pool whose transactions are refused when another process leads."""

    def __init__(self, url: str, schema: str, fence: Fence, **options: Any) -> None:
        """``options`` are those of ``Database``."""
        super().__init__(url, schema, **options)
        self._fence = fence

    @asynccontextmanager
    async def transaction(self, tenant: str | None) -> AsyncIterator[AsyncSession]:
        """A session in one transaction of the present term; see ``Database.transaction``.

        Raises:
            NotLeading: The term is over.
        """
        room = super().transaction
        term = await self._fence.begin(lambda: room(ROOM))
        async with room(ROOM) as tx:
            if not await tx.scalar(_HOLD, _named(term)):
                raise NotLeading("A later leader has written already.")
            tx.info["tenant"] = tenant
            await tx.execute(_SET_TENANT, {"tenant": tenant or ""})
            yield tx


async def _take(tx: AsyncSession, term: Term) -> None:
    values = _named(term) | {"id": names.declared_id(ROOM, KIND, NAME)}
    if not await tx.scalar(_TAKE, values):
        raise NotLeading("A later leader has written already.")


def _named(term: Term) -> dict[str, Any]:
    return {"room": ROOM, "kind": KIND, "name": NAME, **term._asdict()}
