"""What was handed in, for those who teach."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.permissions import Permission
from kourse.course.domain.handing_in import Receipt
from kourse.course.repository import hand_ins, outline
from kourse.kit.auth import Actor


async def list_submissions(
    tx: AsyncSession,
    course: str,
    assignment: str,
    *,
    cohorts: Collection[str] | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Submissions of these cohorts, or of everybody, with at least one hand-in, by id.

    Raises:
        NotFound: There is no such course.
    """
    found = await outline.get_live(tx, course)
    return await hand_ins.list_submissions(
        tx, found.id, assignment, cohorts=cohorts, after=after, limit=limit
    )


async def read_submission(
    tx: AsyncSession, actor: Actor, course: str, assignment: str, submission_id: UUID
) -> tuple[Row[Any], list[Receipt]]:
    """A submission and its receipts, oldest first.

    Raises:
        NotFound: There is no such submission for this teacher or grader.
    """
    found = await hand_ins.get_submission(tx, submission_id)
    if (
        found is None
        or (found.course, found.assignment) != (course, assignment)
        or not actor.holds(Permission.SUBMISSION_READ, course=course, cohort=found.cohort)
    ):
        raise NotFound("There is no such submission for you.")
    return found, await hand_ins.list_receipts(tx, found, course)
