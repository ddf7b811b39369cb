"""What learners have not handed in and still can, for siblings that remind, warn or show it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.resources.course import AtRisk
from kourse.course.repository import hand_ins, learning, outline
from kourse.course.service.assignments import list_effective
from kourse.kit.clock import database_now


@dataclass(frozen=True, slots=True)
class Due:
    """An assignment that is due for a learner, who has not handed it in."""

    learner_id: UUID
    course: str
    assignment: str
    title: str
    due_at: datetime


async def list_due(tx: AsyncSession, learner_id: UUID) -> list[Due]:
    """What is due for a learner in all courses that they study, the earliest first."""
    found: list[Due] = []
    for name in await learning.studied(tx, learner_id):
        course = await outline.get_live(tx, name)
        found += await _due_in(tx, course, [learner_id])
    return sorted(found, key=lambda one: one.due_at)


async def list_due_of_many(
    tx: AsyncSession, learner_ids: Collection[UUID], course: str
) -> tuple[AtRisk, list[Due]]:
    """When the course counts a learner as at risk, and what is due in it for these, the earliest first.

    Raises:
        NotFound: There is no such course, or nothing of it is live.
    """
    row = await outline.get_live(tx, course)
    found = await _due_in(tx, row, learner_ids)
    policy = AtRisk.model_validate(row.policy.get("atRisk", {}))
    return policy, sorted(found, key=lambda one: one.due_at)


async def _due_in(tx: AsyncSession, course: Row[Any], learner_ids: Collection[UUID]) -> list[Due]:
    enrolments = await learning.active_enrolments(tx, course.id, learner_ids)
    works = await outline.list_assignments(tx, course.id, course.version)
    if not (enrolments and works):
        return []
    dates = await list_effective(tx, course, enrolments, [row.key for row in works])
    done = await hand_ins.handed_in(tx, [one.id for one in enrolments])
    now = await database_now(tx)
    return [
        Due(one.learner_id, course.name, row.key, row.title, due_at)
        for one in enrolments
        for row in works
        if (due_at := dates[one.id, row.key].dates.due_at) is not None
        and due_at > now
        and (one.id, row.id) not in done
    ]
