"""Facts of siblings as they arrive: what they change here, and which documents they wake."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.repository import content, replicas
from kourse.assessment.tables import ERASURE, metadata
from kourse.contracts.events import (
    CohortDeclared,
    ContentPublished,
    EnrolmentChanged,
    EnrolmentCreated,
    UserDeleted,
)
from kourse.kit import documents
from kourse.kit.erasure import erase


async def take_course(tx: AsyncSession, event: ContentPublished) -> None:
    """The course's live version is known here; what waited for it is looked at again."""
    await replicas.save_course(
        tx,
        {
            "tenant": tx.info["tenant"],
            "course": event.course,
            "course_id": event.course_id,
            "title": event.title,
            "version": event.version,
            "time_zone": event.time_zone,
            "skills": [skill.model_dump(mode="json") for skill in event.skills],
            "categories": [category.model_dump(mode="json") for category in event.categories],
            "lessons": [lesson.model_dump(mode="json") for lesson in event.lessons],
            "adaptivity": {
                "remediation_below": event.remediation_below,
                "challenge_from": event.challenge_from,
            },
        },
    )
    await content.mark_course_for_reach(tx, event.course)
    await documents.wake_waiting(tx)


async def take_cohort(tx: AsyncSession, event: CohortDeclared) -> None:
    """The cohort's run and dates are known here, and reach the exams of its courses."""
    await replicas.save_cohort(
        tx,
        {
            "tenant": tx.info["tenant"],
            "cohort": event.cohort,
            "cohort_id": event.cohort_id,
            "starts_on": event.starts_on,
            "ends_on": event.ends_on,
            "time_zone": event.time_zone,
            "dates": [one.model_dump(mode="json") for one in event.dates],
        },
    )
    for course in event.courses:
        await content.mark_course_for_reach(tx, course)


async def take_enrolment(tx: AsyncSession, event: EnrolmentCreated) -> None:
    """The learner may take the course's exams."""
    await replicas.save_enrolment(
        tx,
        {
            "enrolment_id": event.enrolment_id,
            "tenant": tx.info["tenant"],
            "learner_id": event.learner_id,
            "course": event.course,
            "cohort": event.cohort,
            "labels": list(event.labels),
        },
    )


async def relabel(tx: AsyncSession, event: EnrolmentChanged) -> None:
    """The dates that exams declare for these labels hold for the learner; running attempts may gain."""
    await replicas.set_labels(tx, event.enrolment_id, event.labels)
    await content.mark_course_for_reach(tx, event.course)


async def forget(tx: AsyncSession, event: UserDeleted) -> None:
    """What says something of the person is forgotten; results stay under the id."""
    await erase(tx, metadata, ERASURE, event.user_id)
