"""Whose ledgers are to be looked at: rows that are added with each fact, and taken by whoever looks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.tables import points_entry, review

_ASK = text(
    "INSERT INTO notification.review (tenant, learner_id)"
    " SELECT :tenant, unnest(CAST(:learners AS uuid[]))"
)
_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(key, 0))"
    " FROM unnest(CAST(:keys AS text[])) AS key"
)


@dataclass(frozen=True)
class Reviews:
    """What was taken.

    Attributes:
        count: How many rows.
        learners: Whose ledgers are to be looked at, ascending.
        courses: Courses whose learners are to be looked at.
    """

    count: int
    learners: tuple[UUID, ...]
    courses: tuple[str, ...]


async def ask(tx: AsyncSession, learner_ids: Collection[UUID]) -> None:
    """The learners' ledgers will be looked at when this transaction is there."""
    if learner_ids:
        await tx.execute(_ASK, {"tenant": tx.info["tenant"], "learners": sorted(learner_ids)})


async def ask_of_course(tx: AsyncSession, course: str) -> None:
    """All ledgers with something of the course will be looked at when this transaction is there."""
    await tx.execute(insert(review).values(tenant=tx.info["tenant"], course=course))


async def expand(tx: AsyncSession, course: str) -> None:
    """Each learner with something of the course in their ledger will be looked at."""
    learners = (
        select(points_entry.c.tenant, points_entry.c.learner_id)
        .where(points_entry.c.course == course)
        .distinct()
    )
    await tx.execute(insert(review).from_select(["tenant", "learner_id"], learners))


async def list_tenants(worker: AsyncSession) -> list[str]:
    """Tenants with something to look at.

    Args:
        worker: A transaction of the worker role, which sees all tenants.
    """
    return list((await worker.execute(select(review.c.tenant).distinct())).scalars())


async def take(tx: AsyncSession, limit: int) -> Reviews:
    """Rows that nobody else takes; they are gone with this transaction, and stay if it fails."""
    oldest = (
        select(review.c.id)
        .order_by(review.c.asked_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # As a plain subquery it may be run for each row, and each run locks other rows: more than asked for.
        .cte("oldest")
        .prefix_with("MATERIALIZED")
    )
    taken = (
        delete(review)
        .where(review.c.id.in_(select(oldest)))
        .returning(review.c.learner_id, review.c.course)
    )
    rows = (await tx.execute(taken)).all()
    return Reviews(
        count=len(rows),
        learners=tuple(sorted({row.learner_id for row in rows if row.learner_id})),
        courses=tuple(sorted({row.course for row in rows if row.course})),
    )


async def lock(tx: AsyncSession, learners: Sequence[UUID]) -> None:
    """Nobody else looks at these learners until this transaction ends; they are given in ascending order."""
    keys = [f"notification.review/{tx.info['tenant']}/{one}" for one in learners]
    await tx.execute(_LOCK, {"keys": keys})
