"""The exams that a learner may know of, each as it is for them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.repository import attempts, content
from kourse.assessment.schemas.taking import ExamView
from kourse.assessment.service.access import Admission, admit, list_admissions
from kourse.kit.clock import database_now


async def list_exams(tx: AsyncSession, learner_id: UUID, course: str) -> list[ExamView]:
    """The exams of a course that are open or were, by name.

    Raises:
        NotEnrolled: The learner is not enrolled in it, as far as is known here.
    """
    return await _views(tx, await list_admissions(tx, learner_id, course))


async def get_exam(tx: AsyncSession, learner_id: UUID, name: str) -> ExamView:
    """One exam.

    Raises:
        NotFound: There is no such exam, or the learner may not know of it.
    """
    (view,) = await _views(tx, [await admit(tx, learner_id, name)])
    return view


async def _views(tx: AsyncSession, admissions: Sequence[Admission]) -> list[ExamView]:
    """The views of exams to which one enrolment is admitted."""
    if not admissions:
        return []
    enrolment = admissions[0].enrolment
    ids = [admission.exam.id for admission in admissions]
    contents = await content.list_versions(tx, [one.exam.version_id for one in admissions])
    taken = await attempts.list_attempts(tx, enrolment.id, enrolment.learner_id, ids)
    now = await database_now(tx)
    return [
        ExamView.of(
            admission,
            contents[admission.exam.version_id],
            [attempt for attempt in taken if attempt.exam_id == admission.exam.id],
            now,
        )
        for admission in admissions
    ]
