"""What the tenant offers, and a course's outline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.course.domain import searching
from kourse.course.repository import learning, outline
from kourse.course.repository.outline import Filters

__all__ = ["Filters", "Outline", "list_courses", "read_course", "search"]
MOST_LOOKED_AT = 2000
"""Courses whose titles and tags are compared with mistyped words."""


@dataclass(frozen=True)
class Outline:
    """A course in the version that learners have."""

    course: Row[Any]
    prerequisites: Sequence[Row[Any]]
    skills: Sequence[Row[Any]]
    chapters: Sequence[Row[Any]]
    lessons: Sequence[Row[Any]]
    enrolled: bool


async def list_courses(
    tx: AsyncSession, wanted: Filters, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Listed courses in order of name."""
    return await outline.list_listed(tx, wanted, after, limit)


async def search(
    tx: AsyncSession, text: str, wanted: Filters, after: tuple[float, str] | None, limit: int
) -> Sequence[Row[Any]]:
    """Listed courses that have all words of the text, those that fit best first.

    Where no course has them, the words are taken for mistyped ones of the catalogue's titles and tags.
    """
    words = searching.words_of(text)
    if not words:
        return []
    query = searching.query_of(words)
    found = await outline.search_listed(tx, query, wanted, after, limit)
    if found:
        return found
    if after is not None and await outline.search_listed(tx, query, wanted, None, 1):
        return found
    known = await outline.vocabulary(tx, MOST_LOOKED_AT)
    meant = searching.corrected(words, searching.words_of(" ".join(known)))
    if meant == words:
        return []
    return await outline.search_listed(tx, searching.query_of(meant), wanted, after, limit)


async def read_course(tx: AsyncSession, name: str, learner_id: UUID | None) -> Outline:
    """The course's outline.

    Raises:
        NotFound: There is no such course.
    """
    course = await outline.get_live(tx, name)
    enrolment = (
        await learning.find_enrolment(tx, course.id, learner_id) if learner_id is not None else None
    )
    return Outline(
        course=course,
        prerequisites=await outline.list_prerequisites(tx, name),
        skills=await outline.list_skills(tx, course.id, course.version),
        chapters=await outline.list_chapters(tx, course.id, course.version),
        lessons=await outline.list_lessons(tx, course.id, course.version),
        enrolled=enrolment is not None and enrolment.status == "active",
    )
