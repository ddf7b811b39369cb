"""Sheets of badges as courses published them, and what learners have won by them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Row, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain.badges import Badge, Sheet, Won
from kourse.notification.tables import badge_sheet, reached_level, won_badge


@dataclass(frozen=True)
class Trophy:
    """A badge that its learner has, named as it was when they won it.

    Attributes:
        title: Its name for people; empty for one of the platform, which templates name.
        description: What it was won for, in words; likewise.
    """

    badge_id: UUID
    key: str
    course: str | None
    title: str
    description: str
    won_at: datetime


async def add_sheet(tx: AsyncSession, sheet: Sheet) -> bool:
    """The sheet is kept; whether it was not there yet."""
    row = insert(badge_sheet).values(
        tenant=tx.info["tenant"],
        course_id=sheet.course_id,
        version=sheet.version,
        course=sheet.course,
        badges=[asdict(badge) | {"id": str(badge.id)} for badge in sheet.badges],
        since_at=sheet.since,
    )
    added = row.on_conflict_do_nothing().returning(badge_sheet.c.version)
    return (await tx.execute(added)).one_or_none() is not None


async def list_sheets(tx: AsyncSession, courses: Collection[str]) -> list[Sheet]:
    """All sheets of these courses, by course and version."""
    query = (
        select(badge_sheet)
        .where(badge_sheet.c.course.in_(courses))
        .order_by(badge_sheet.c.course, badge_sheet.c.version)
    )
    return [_sheet(row) for row in (await tx.execute(query)).all()]


async def add_won(tx: AsyncSession, won: Iterable[tuple[UUID, Won]]) -> set[tuple[UUID, UUID]]:
    """The learners have these badges for good, since those moments.

    Args:
        tx: A transaction of their tenant.
        won: Pairs of learner and badge.

    Returns:
        Learner and badge's id of those that they had not.
    """
    rows = [
        {
            "tenant": tx.info["tenant"],
            "learner_id": learner_id,
            "badge_id": one.badge.id,
            "badge": one.badge.key,
            "course_id": one.sheet.course_id,
            "course": one.sheet.course,
            "title": one.badge.title,
            "description": one.badge.description,
            "won_at": one.at,
        }
        for learner_id, one in won
    ]
    return await _keep(tx, won_badge.c.badge_id, won_badge.c.won_at, rows)


async def list_won(tx: AsyncSession, learner_id: UUID) -> list[Trophy]:
    """What the learner has won, newest first."""
    query = (
        select(won_badge)
        .where(won_badge.c.learner_id == learner_id)
        .order_by(won_badge.c.won_at.desc(), won_badge.c.badge_id)
    )
    return [
        Trophy(row.badge_id, row.badge, row.course, row.title, row.description, row.won_at)
        for row in (await tx.execute(query)).all()
    ]


async def add_levels(
    tx: AsyncSession, reached: Iterable[tuple[UUID, int, datetime]]
) -> set[tuple[UUID, int]]:
    """The learners have reached these levels for good, at those moments.

    Args:
        tx: A transaction of their tenant.
        reached: Learner, level, and when.

    Returns:
        Learner and level of those that they had not.
    """
    rows = [
        {"tenant": tx.info["tenant"], "learner_id": learner_id, "level": level, "reached_at": at}
        for learner_id, level, at in reached
    ]
    return await _keep(tx, reached_level.c.level, reached_level.c.reached_at, rows)


async def _keep(
    tx: AsyncSession, key: Column[Any], moment: Column[Any], rows: Sequence[Mapping[str, Any]]
) -> set[tuple[UUID, Any]]:
    """Adds rows, and lets those that are there follow an earlier deed that came late; the new ones."""
    if not rows:
        return set()
    added = insert(key.table)
    learner_id = key.table.c.learner_id
    kept = added.on_conflict_do_update(
        index_elements=["tenant", learner_id, key],
        set_={moment.name: added.excluded[moment.name]},
        where=moment.is_distinct_from(added.excluded[moment.name]),
    ).returning(learner_id, key, literal_column("xmax = 0").label("is_new"))
    return {(row[0], row[1]) for row in (await tx.execute(kept, rows)).all() if row.is_new}


def _sheet(row: Row[Any]) -> Sheet:
    return Sheet(
        course=row.course,
        course_id=row.course_id,
        version=row.version,
        since=row.since_at,
        badges=tuple(Badge(**(one | {"id": UUID(one["id"])})) for one in row.badges),
    )
