"""Who studies what: by themselves, or because a cohort brings its courses along."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import EnrolmentCreated, EnrolmentResumed, EnrolmentSuspended
from kourse.contracts.resources.course import EnrolmentMode
from kourse.contracts.resources.meta import Lifecycle
from kourse.course import errors
from kourse.course.domain.lifecycle import is_read_only
from kourse.course.errors import (
    CourseReadOnly,
    EnrolmentClosed,
    PrerequisiteNotMet,
)
from kourse.course.repository import content, learning, outline
from kourse.course.service import extensions
from kourse.kit import outbox
from kourse.kit.telemetry import get_logger

log = get_logger(__name__)
_CLOSED = {
    EnrolmentMode.COHORT: "Learners get into this course with the join code of a cohort.",
    EnrolmentMode.CLOSED: "Only a teacher adds learners to this course.",
}


@dataclass(frozen=True)
class Enrolled:
    """A learner's enrolment.

    Attributes:
        row: The enrolment.
        title: Title of the course.
        is_new: Whether it was made just now.
    """

    row: Row[Any]
    title: str
    is_new: bool


async def enrol(tx: AsyncSession, learner_id: UUID, name: str) -> Enrolled:
    """The learner's enrolment in a course; an active one is given back as it is.

    Raises:
        NotFound: There is no such course.
        CourseReadOnly: It is archived.
        EnrolmentClosed: Learners do not enrol in it by themselves.
        EnrolmentSuspended: The learner left, or was taken out for now.
        PrerequisiteNotMet: Another course must be completed first.
    """
    course = await outline.get_live(tx, name)
    known = await learning.find_enrolment(tx, course.id, learner_id)
    if known is not None and known.status == "active":
        return Enrolled(known, course.title, is_new=False)
    _require_open(course)
    await _require_prerequisites(tx, learner_id, name)
    made = await learning.add_enrolment(tx, course.id, learner_id)
    if made is None:
        again = await learning.find_enrolment(tx, course.id, learner_id)
        if again is None or again.status != "active":
            raise errors.EnrolmentSuspended("Ask your teacher to take you in again.")
        return Enrolled(again, course.title, is_new=False)
    await _announce(tx, made, name)
    return Enrolled(made, course.title, is_new=True)


async def list_own(
    tx: AsyncSession, learner_id: UUID, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """The learner's enrolments, newest first."""
    return await learning.list_enrolments(tx, learner_id, after, limit)


def _require_open(course: Row[Any]) -> None:
    if is_read_only(Lifecycle(course.lifecycle), retired=course.retired_at is not None):
        raise CourseReadOnly
    mode = EnrolmentMode(course.enrolment_mode)
    if mode is not EnrolmentMode.OPEN:
        raise EnrolmentClosed(_CLOSED[mode], extensions={"enrolment": mode.value})


async def _require_prerequisites(tx: AsyncSession, learner_id: UUID, name: str) -> None:
    required = await outline.list_prerequisites(tx, name)
    if not required:
        return
    counts = await learning.lesson_counts(tx, learner_id, [entry.requires for entry in required])
    missing = [
        {"course": entry.requires, "minCompletion": entry.min_completion, "completion": reached}
        for entry in required
        if (reached := _percent(*counts.get(entry.requires, (0, 0)))) < entry.min_completion
    ]
    if missing:
        named = ", ".join(
            f"{entry['minCompletion']} % of {entry['course']!r} ({entry['completion']} % so far)"
            for entry in missing
        )
        raise PrerequisiteNotMet(f"Complete first: {named}.", extensions={"missing": missing})


def _percent(done: int, total: int) -> int:
    return done * 100 // total if total else 0


async def _announce(tx: AsyncSession, made: Row[Any], course: str) -> None:
    await outbox.emit(
        tx,
        EnrolmentCreated(
            enrolment_id=made.id,
            learner_id=made.learner_id,
            course_id=made.course_id,
            course=course,
            cohort=made.cohort,
            cohort_id=made.cohort_id,
            labels=made.labels,
        ),
    )


async def enrol_with_cohort(
    tx: AsyncSession,
    cohort_id: UUID,
    cohort: str,
    learners: Collection[UUID],
    courses: Collection[str],
) -> int:
    """Every learner is enrolled in every course of the cohort; how many enrolments that made.

    What a learner did in the course by themselves counts in the new run too. Who comes back studies on
    where they left.
    """
    for back in await learning.change_status(tx, cohort_id, learners, "active"):
        await outbox.emit(tx, EnrolmentResumed(**_told(back)))
    ids = await learning.course_ids(tx, courses)
    if unknown := sorted(set(courses) - set(ids)):
        # A course that was deleted since the cohort named it; nobody can study it.
        log.warning("enrolment.skipped", cohort=cohort, courses=unknown)
    made = 0
    for name, course_id in sorted(ids.items()):
        for learner_id in learners:
            row = await learning.add_enrolment(
                tx, course_id, learner_id, cohort=cohort, cohort_id=cohort_id
            )
            if row is not None:
                await learning.carry_over(tx, row.id)
                await _announce(tx, row, name)
                await extensions.tell_newcomer(tx, row, name)
                made += 1
    return made


async def suspend_with_cohort(tx: AsyncSession, cohort_id: UUID, learner_id: UUID) -> None:
    """Whoever left the cohort studies its courses no further; nothing of theirs is lost."""
    for row in await learning.change_status(tx, cohort_id, [learner_id], "suspended"):
        await outbox.emit(tx, EnrolmentSuspended(**_told(row)))


def _told(row: Row[Any]) -> dict[str, Any]:
    return {
        "enrolment_id": row.id,
        "learner_id": row.learner_id,
        "course_id": row.course_id,
        "course": row.course,
        "cohort": row.cohort,
    }


async def purge(tx: AsyncSession, name: str, limit: int) -> bool:
    """Deletes some of what learners made with a course that is to go; whether all of it is gone."""
    course = await content.find_course(tx, name, lock=True)
    if course is None or course.purge_at is None:
        return True
    return await learning.delete_learners(tx, course, limit) < limit
