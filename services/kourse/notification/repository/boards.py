"""Members of cohorts, which of them chose to be compared, and the points that count there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Uuid, any_, delete, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain.leaderboards import Run
from kourse.notification.tables import board_place, cohort, cohort_member, points_entry


@dataclass(frozen=True)
class Board:
    """A cohort's leaderboard, as one of its members finds it.

    Attributes:
        run: Whose points count; None while the cohort's declaration is on its way.
        shown: Whether the member chose to stand on it.
    """

    cohort_id: UUID
    cohort: str
    title: str
    run: Run | None
    shown: bool


async def add_member(tx: AsyncSession, cohort_id: UUID, learner_id: UUID) -> None:
    """The learner is in the cohort; a repeat changes nothing."""
    row = insert(cohort_member).values(
        tenant=tx.info["tenant"], cohort_id=cohort_id, learner_id=learner_id
    )
    await tx.execute(row.on_conflict_do_nothing())


async def remove_member(tx: AsyncSession, cohort_id: UUID, learner_id: UUID) -> None:
    """The learner is neither in the cohort nor on its board; a repeat changes nothing."""
    await hide(tx, cohort_id, learner_id)
    await tx.execute(
        delete(cohort_member).where(
            cohort_member.c.cohort_id == cohort_id, cohort_member.c.learner_id == learner_id
        )
    )


async def list_boards(
    tx: AsyncSession, learner_id: UUID, *, name: str | None = None
) -> list[Board]:
    """The boards of the learner's cohorts, by the cohorts' names.

    Args:
        tx: A transaction of their tenant.
        learner_id: Whose cohorts.
        name: The one cohort that is wanted; None for all.
    """
    query = (
        select(cohort, board_place.c.chosen_at)
        .join(cohort_member, cohort_member.c.cohort_id == cohort.c.cohort_id)
        .outerjoin(
            board_place,
            (board_place.c.cohort_id == cohort.c.cohort_id)
            & (board_place.c.learner_id == cohort_member.c.learner_id),
        )
        .where(cohort_member.c.learner_id == learner_id)
        .order_by(cohort.c.cohort)
    )
    if name is not None:
        query = query.where(cohort.c.cohort == name)
    return [
        Board(
            cohort_id=row.cohort_id,
            cohort=row.cohort,
            title=row.title,
            run=None
            if row.courses is None
            else Run(tuple(row.courses), row.starts_on, row.ends_on, row.time_zone),
            shown=row.chosen_at is not None,
        )
        for row in (await tx.execute(query)).all()
    ]


async def show(tx: AsyncSession, cohort_id: UUID, learner_id: UUID) -> None:
    """The learner stands on the board; a repeat changes nothing."""
    row = insert(board_place).values(
        tenant=tx.info["tenant"], cohort_id=cohort_id, learner_id=learner_id
    )
    await tx.execute(row.on_conflict_do_nothing())


async def hide(tx: AsyncSession, cohort_id: UUID, learner_id: UUID) -> None:
    """The learner stands on the board no more; a repeat changes nothing."""
    await tx.execute(
        delete(board_place).where(
            board_place.c.cohort_id == cohort_id, board_place.c.learner_id == learner_id
        )
    )


async def points_of_shown(tx: AsyncSession, cohort_id: UUID, run: Run) -> dict[UUID, int]:
    """Points in the run of those who stand on the board, 0 where there are none yet."""
    shown = select(board_place.c.learner_id).where(board_place.c.cohort_id == cohort_id)
    learners = (await tx.execute(shown)).scalars().all()
    return await points_in(tx, learners, run)


async def points_in(tx: AsyncSession, learners: Sequence[UUID], run: Run) -> dict[UUID, int]:
    """Each learner's points in the run: what counts of their ledger, in its courses and on its days."""
    entry = points_entry.c
    counted = (
        select(entry.learner_id, entry.points, entry.earned_at)
        .ext(distinct_on(entry.learner_id, entry.reason, entry.subject))
        .where(
            entry.learner_id == any_(literal(list(learners), ARRAY(Uuid))),
            entry.course.in_(run.courses),
        )
        .order_by(
            entry.learner_id, entry.reason, entry.subject, entry.earned_at, entry.source_event
        )
        .subquery()
    )
    query = (
        select(counted.c.learner_id, func.sum(counted.c.points).label("points"))
        .where(counted.c.earned_at >= run.begins_at, counted.c.earned_at < run.over_at)
        .group_by(counted.c.learner_id)
    )
    earned = {row.learner_id: int(row.points) for row in (await tx.execute(query)).all()}
    return {learner_id: earned.get(learner_id, 0) for learner_id in learners}
