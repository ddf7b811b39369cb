"""Routes for teachers: the grade book of the learners in their scope."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from kourse.assessment import schemas
from kourse.assessment.policies import readable_cohorts
from kourse.assessment.service import gradebook
from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.meta import Name
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page

router = APIRouter(tags=["teaching"])


@router.get("/v1/courses/{course}/gradebook/learners")
async def list_gradebooks(
    actor: Annotated[Actor, allow(Permission.GRADEBOOK_READ, scoped=True)],
    tx: Transaction,
    course: Name,
    cohort: Annotated[Name | None, Query(description="Only learners of this cohort.")] = None,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.GradebookView]:
    """Grades of the learners whom the teacher may see, by learner, withheld scores included."""
    cohorts = readable_cohorts(actor, course, cohort)
    books = await gradebook.list_books(
        tx, course, cohorts=cohorts, after=_learner(after), limit=limit + 1
    )
    shown, following = Cursor.page(books, limit, key=lambda book: (book.learner_id,))
    return Page(items=[schemas.GradebookView.of(book) for book in shown], next=following)


def _learner(after: str | None) -> UUID | None:
    key = Cursor.decode(after, 1)
    try:
        return None if key is None else UUID(str(key[0]))
    except ValueError:
        raise Malformed("`after` is not a cursor of this list.") from None
