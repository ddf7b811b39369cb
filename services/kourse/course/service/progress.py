"""How far learners are: counted by the live version's lessons, so progress survives new versions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.events import EnrolmentCompleted
from kourse.course.domain.study import Content, Gate, Titles, is_completed, read_gates
from kourse.course.domain.way import Way
from kourse.course.repository import completions, outline, ways
from kourse.course.repository.ways import Found
from kourse.kit import outbox


@dataclass(frozen=True)
class Overview:
    """A learner in a course.

    Attributes:
        row: The course with its live version, and the enrolment that counts (``enrolment_id``,
            ``learner_id``, ``cohort``, ``status``, ``active_at``, ``completed_at``).
        way: What is open to the learner, and what comes next.
    """

    row: Row[Any]
    way: Way

    @cached_property
    def done(self) -> int:
        """Lessons of the main path that are completed."""
        return self.way.content.done(self.way.made.completed.keys())

    @property
    def total(self) -> int:
        """Lessons of the main path."""
        return len(self.way.content.main)

    def is_completed(self, more: Collection[UUID] = ()) -> bool:
        """Whether the course counts as completed, with these lessons completed as well."""
        return self._is_completed(more, self.way.made.passed)

    def lacks_lessons(self, more: Collection[UUID]) -> bool:
        """Whether the course is not completed yet nor with these lessons, whichever exams were passed."""
        if self.row.completed_at is not None:
            return False
        return not self._is_completed(more, (self.row.completion or {}).get("exams", ()))

    def _is_completed(self, more: Collection[UUID], passed: Collection[str]) -> bool:
        done = self.way.content.done({*self.way.made.completed, *more})
        return is_completed(done, self.total, self.row.completion or {}, passed)


async def lessons_and_gates(tx: AsyncSession, course: Row[Any]) -> tuple[Content, tuple[Gate, ...]]:
    """The live version and the gates of a course, whoever studies it."""
    content = await ways.content_of(tx, course.id, course.version, course.digest)
    return content, read_gates(await outline.stored_gates(tx, course.id))


async def overview(tx: AsyncSession, learner_id: UUID, name: str) -> Overview:
    """A learner's standing in a course.

    Raises:
        NotFound: There is no such course, or the learner was never enrolled in it.
    """
    found = await ways.find(tx, learner_id, name)
    if found is None:
        await outline.get_live(tx, name)
        raise NotFound(f"You are not enrolled in {name!r}.")
    return await overview_of(tx, found)


async def overview_of(tx: AsyncSession, found: Found) -> Overview:
    """The standing of a learner who was found in a course."""
    row = found.row
    content = await ways.content_of(tx, row.id, row.version, row.digest)
    titles = Titles(content, found.exams)
    return Overview(row, Way(content, read_gates(found.gates), titles, found.made))


async def list_overviews(
    tx: AsyncSession, learner_ids: Collection[UUID], course: str | None = None
) -> list[Overview]:
    """Learners' standing in the courses that they study now, or in one; by learner, newest first."""
    found = await ways.find_many(tx, learner_ids, course)
    return [await overview_of(tx, one) for one in found if one.row.status == "active"]


async def settle(tx: AsyncSession, learner_id: UUID, name: str) -> None:
    """Notes whether the course now counts as completed, and says so."""
    await ways.lock(tx, learner_id, name)
    found = await ways.find(tx, learner_id, name)
    if found is not None:
        await note_completion(tx, await overview_of(tx, found))


async def note_completion(tx: AsyncSession, found: Overview, more: Collection[UUID] = ()) -> bool:
    """Whether the course now counts as completed, with these lessons as well; noted and told of.

    The caller has locked what the learner does in the course.
    """
    completed = found.is_completed(more)
    if completed != (found.row.completed_at is not None):
        await completions.set_completed(tx, found.row.enrolment_id, completed=completed)
        if completed:
            await outbox.emit(tx, _completion(found.row))
    return completed


def _completion(row: Row[Any]) -> EnrolmentCompleted:
    return EnrolmentCompleted(
        enrolment_id=row.enrolment_id,
        learner_id=row.learner_id,
        course_id=row.id,
        course=row.name,
        cohort=row.cohort,
    )
