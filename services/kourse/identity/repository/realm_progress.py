"""How far a realm was followed, and which of its latest events were dealt with."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.identity.repository.keycloak_events import Log, RealmEvent
from kourse.identity.tables import realm_event, realm_progress


async def find_reached(tx: AsyncSession, issuer: str, part: str) -> int | None:
    """How far this part of the realm was followed, in Unix milliseconds; None for never."""
    found = select(realm_progress.c.reached_ms).where(
        realm_progress.c.issuer == issuer, realm_progress.c.part == part
    )
    return (await tx.execute(found)).scalar_one_or_none()


async def reach(tx: AsyncSession, issuer: str, part: str, at_ms: int) -> int:
    """The part was followed as far as this, or farther; gives how far."""
    statement = insert(realm_progress).values(issuer=issuer, part=part, reached_ms=at_ms)
    farthest = func.greatest(realm_progress.c.reached_ms, statement.excluded.reached_ms)
    put = statement.on_conflict_do_update(
        index_elements=[realm_progress.c.issuer, realm_progress.c.part],
        set_={"reached_ms": farthest},
    ).returning(realm_progress.c.reached_ms)
    return int((await tx.execute(put)).scalar_one())


async def list_known(tx: AsyncSession, issuer: str, ids: Collection[str]) -> set[str]:
    """Those of the events that were dealt with."""
    found = select(realm_event.c.id).where(
        realm_event.c.issuer == issuer, realm_event.c.id.in_(ids)
    )
    return set((await tx.execute(found)).scalars())


async def note(tx: AsyncSession, issuer: str, events: Iterable[RealmEvent]) -> set[str]:
    """The events are dealt with from the commit on; gives the ids of those that were not before.

    A second transaction with one of them waits here for the first.
    """
    rows = [
        {"issuer": issuer, "log": one.log.value, "id": one.id, "at_ms": one.at_ms} for one in events
    ]
    statement = insert(realm_event).values(rows).on_conflict_do_nothing()
    return set((await tx.execute(statement.returning(realm_event.c.id))).scalars())


async def forget(tx: AsyncSession, issuer: str, log: Log, before_ms: int) -> None:
    """Nothing is known of the log's events from before then, which nobody reads again."""
    await tx.execute(
        delete(realm_event).where(
            realm_event.c.issuer == issuer,
            realm_event.c.log == log.value,
            realm_event.c.at_ms < before_ms,
        )
    )
