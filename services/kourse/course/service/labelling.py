"""Labels of enrolments: which of the dates that are declared for labels hold for a learner."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.events import EnrolmentChanged
from kourse.contracts.permissions import Permission
from kourse.course.repository import learning, outline
from kourse.kit import outbox
from kourse.kit.audit.recording import record
from kourse.kit.auth import Actor


async def find(
    tx: AsyncSession, actor: Actor, course: str, learner_id: UUID, *, lock: bool = False
) -> Row[Any]:
    """The learner's active enrolment, when the teacher may decide about its dates.

    Raises:
        NotFound: There is no such course, or no such learner for the teacher.
    """
    found = await outline.get_live(tx, course)
    enrolments = await learning.active_enrolments(tx, found.id, [learner_id], lock=lock)
    may = Permission.ASSIGNMENT_EXTEND
    if not enrolments or not actor.holds(may, course=course, cohort=enrolments[0].cohort):
        raise NotFound("There is no such learner for you in this course.")
    return enrolments[0]


async def label(
    tx: AsyncSession, actor: Actor, course: str, learner_id: UUID, labels: Collection[str]
) -> Row[Any]:
    """The enrolment carries exactly these labels; it is audited, and the same again changes nothing.

    Raises:
        NotFound: There is no such course, or no such learner for the teacher.
    """
    before = await find(tx, actor, course, learner_id, lock=True)
    wanted = sorted(set(labels))
    if wanted == before.labels:
        return before
    await learning.set_labels(tx, before.id, wanted)
    await outbox.emit(
        tx,
        EnrolmentChanged(
            enrolment_id=before.id,
            learner_id=learner_id,
            course_id=before.course_id,
            course=course,
            cohort=before.cohort,
            labels=wanted,
        ),
    )
    detail = {"course": course, "before": before.labels, "labels": wanted}
    await record(tx, "enrolment.label", actor=actor.user_id, target=learner_id, detail=detail)
    return await find(tx, actor, course, learner_id)
