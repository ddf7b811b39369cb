"""Rows: documents handed to the services that own them, through the one door each of them has.

This is the only place where the operator meets the services' code. Documents of one kind and tenant that
arrive together are written in one transaction, with a savepoint for each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, cast

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment import authoring as assessment_door
from kourse.contracts import names
from kourse.contracts.errors import Unavailable
from kourse.contracts.resources import BY_KIND, DeletionPolicy
from kourse.course import authoring as course_door
from kourse.kit import documents
from kourse.kit.db import Database
from kourse.kit.documents import Doc, Pending, Result
from kourse.kit.migrations import at_head
from kourse.profile import authoring as profile_door
from kourse_operator import metrics
from kourse_operator.actuators import snapshots
from kourse_operator.actuators.fence import Fence, FencedDatabase
from kourse_operator.actuators.timing import timed
from kourse_operator.engine.batcher import Batcher
from kourse_operator.engine.leadership import Leadership
from kourse_operator.plans.steps import Drift

Begin = Callable[[str], AbstractAsyncContextManager[AsyncSession]]
OWNERS = tuple(sorted({kind.owner for kind in BY_KIND.values()}))
Group = tuple[str, str]
"""Kind and tenant."""


class Door(Protocol):
    """What a service that owns documents offers."""

    async def apply_many(
        self, database: Database, tenant: str, kind: str, docs: Sequence[Doc[Any]]
    ) -> list[Result]:
        """One result for each document, in order."""

    async def retire(
        self,
        database: Database,
        tenant: str,
        kind: str,
        name: str,
        uid: str | None,
        policy: DeletionPolicy,
    ) -> list[Pending]:
        """What still prevents it; nothing when it is done."""

    async def observe(
        self, database: Database, tenant: str, kind: str, names: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """Counts by name."""


DOORS: Mapping[str, Door] = {
    "assessment": assessment_door,
    "course": course_door,
    "profile": profile_door,
}


class ServiceRows:
    """Documents in the schemas of the services that own them."""

    def __init__(
        self,
        url: str,
        leadership: Leadership,
        *,
        pool_size: int,
        batch_size: int,
        doors: Mapping[str, Door] = DOORS,
    ) -> None:
        """``url`` is of the operator's own role; a small pool is made for each schema."""
        fence = Fence(leadership)
        connect = partial(FencedDatabase, url, pool_size=pool_size)
        self._databases = {
            owner: connect(owner, fence, application=f"kourse-operator-{owner}") for owner in OWNERS
        }
        self._migrated: set[str] = set()
        self._doors = doors
        self._batches: Batcher[Group, Doc[Any], Result] = Batcher(
            self._apply_together, size=batch_size
        )
        self._rehearsals: Batcher[Group, Doc[Any], Result] = Batcher(
            self._rehearse_together, size=batch_size
        )
        self._counts: Batcher[Group, str, Mapping[str, Any]] = Batcher(
            self._count_together, size=batch_size
        )

    async def apply(self, kind: str, tenant: str, doc: Doc[Any]) -> Result:
        """The document is in the database, or refused."""
        return await self._batches.submit((kind, tenant), doc)

    async def rehearse(self, kind: str, tenant: str, doc: Doc[Any]) -> Result:
        """What ``apply`` would give; nothing is written."""
        return await self._rehearsals.submit((kind, tenant), doc)

    async def differences(
        self, kind: str, tenant: str, doc: Doc[Any], *, mend: bool
    ) -> tuple[Result, Sequence[Drift]]:
        """What ``apply`` gives, and which rows were not as declared; put right only to ``mend``."""
        database, door = await self._at(kind)
        object_id = names.declared_id(tenant, kind, doc.name)
        begin = database.transaction if mend else database.rehearsal
        with timed("rows", "mend" if mend else "look"):
            async with begin(tenant) as tx:
                before = await snapshots.take(tx, kind, object_id)
                (result,) = await door.apply_many(_lent(lambda _: _open(tx)), tenant, kind, [doc])
                after = await snapshots.take(tx, kind, object_id)
        drift = snapshots.differences(before, after)
        return result, drift or [Drift("rows of other tables", "changed", "as declared")]

    async def owner(self, kind: str, tenant: str, name: str) -> str | None:
        """Whose the name is; see ``ports.Rows``."""
        database, _ = await self._at(kind)
        async with database.transaction(tenant) as tx:
            found = await documents.find(tx, kind, name)
        return (found.uid or "") if found else None

    async def retire(
        self, kind: str, tenant: str, name: str, uid: str, policy: DeletionPolicy
    ) -> Sequence[Pending]:
        """The document is retired, or what still prevents it."""
        database, door = await self._at(kind)
        with timed("rows", "retire"):
            return await door.retire(database, tenant, kind, name, uid, policy)

    async def count(self, kind: str, tenant: str, name: str) -> Mapping[str, Any]:
        """The counts of one document, asked together with others that are asked at the time."""
        return await self._counts.submit((kind, tenant), name)

    async def observe(
        self, kind: str, tenant: str, names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Any]]:
        """Counts for the status of each document."""
        database, door = await self._at(kind)
        with timed("rows", "observe"):
            return await door.observe(database, tenant, kind, names)

    async def forget_assets(self, tenant: str, course: str) -> bool:
        """The course service takes none of the assets for stored; whether it took any before."""
        database, _ = await self._at("Course")
        return await course_door.forget_assets(database, tenant, course) > 0

    async def close(self) -> None:
        """Finishes what is under way and closes every pool."""
        await self._batches.close()
        await self._rehearsals.close()
        await self._counts.close()
        for database in self._databases.values():
            await database.close()

    async def _apply_together(self, group: Group, docs: Sequence[Doc[Any]]) -> Sequence[Result]:
        kind, tenant = group
        database, door = await self._at(kind)
        metrics.BATCH_SIZE.labels(kind).observe(len(docs))
        with timed("rows", "apply"):
            return await door.apply_many(database, tenant, kind, docs)

    async def _rehearse_together(self, group: Group, docs: Sequence[Doc[Any]]) -> Sequence[Result]:
        kind, tenant = group
        database, door = await self._at(kind)
        with timed("rows", "look"):
            return await door.apply_many(_lent(database.rehearsal), tenant, kind, docs)

    async def _count_together(
        self, group: Group, names: Sequence[str]
    ) -> Sequence[Mapping[str, Any]]:
        found = await self.observe(*group, names)
        return [found.get(name, {}) for name in names]

    async def _at(self, kind: str) -> tuple[Database, Door]:
        """Pool and door of the kind's owner.

        Raises:
            Unavailable: The database does not answer or is not migrated far enough.
        """
        owner = BY_KIND[kind].owner
        database = self._databases[owner]
        if owner not in self._migrated:
            if not await at_head(database):
                raise Unavailable(f"The tables of {owner} are not migrated yet.")
            self._migrated.add(owner)
        return database, self._doors[owner]


@dataclass(frozen=True)
class _Lent:
    """What a door needs of a database, with transactions that end otherwise than by a commit."""

    transaction: Begin


def _lent(begin: Begin) -> Database:
    return cast("Database", _Lent(begin))


@asynccontextmanager
async def _open(tx: AsyncSession) -> AsyncIterator[AsyncSession]:
    """A transaction that is open already, and stays so."""
    yield tx
