"""How far a change of dates, limits or release reaches: to running attempts and withheld scores.

Changes are marked on the exam by whoever makes them (a resource, a cohort's dates) and carried out here
soon after, per exam in one transaction.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.repository import attempts, content, scores
from kourse.assessment.service.access import terms_of_enrolments
from kourse.contracts.resources.exam import Release
from kourse.rules import timing


async def reach(tx: AsyncSession, exam_id: UUID) -> None:
    """Running attempts gain the time that a change gives, and scores are released when it says.

    Nothing that was shown is hidden again, and no attempt loses time. Under a manual policy a teacher's
    word stands.
    """
    exam = await content.take_for_reach(tx, exam_id)
    if exam is None:
        return
    running = await attempts.list_running(tx, exam_id)
    withheld = await scores.list_unreleased(tx, exam_id)
    enrolments = {attempt.enrolment_id for attempt in running} | {id_ for _, id_ in withheld}
    terms = await terms_of_enrolments(tx, exam, enrolments)
    for attempt in running:
        computed = terms[attempt.enrolment_id].deadline(attempt.started_at)
        later = timing.lengthened(attempt.deadline_at, computed)
        if later != attempt.deadline_at:
            await attempts.set_deadline(tx, attempt.id, later)
    policy = exam.policy.release.scores
    for score, enrolment_id in withheld:
        due_at = terms[enrolment_id].released_at(policy, score.graded_at)
        if due_at != score.release_due_at and policy is not Release.MANUAL:
            await scores.set_release_due(tx, score.attempt_id, due_at)
