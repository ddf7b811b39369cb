"""What is known: declared exams, attempts, and the replicas of siblings' facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any
from uuid import UUID

from kourse.assessment.domain.exams import ExamContent, ExamPolicy
from kourse.assessment.domain.presentation import Layout
from kourse.contracts.events import PublishedCategory, PublishedLesson, PublishedSkill
from kourse.contracts.resources.pool import Question
from kourse.rules.mastery import CALCULATION, SkillParameters, Thresholds


class AttemptState(StrEnum):
    """Where an attempt stands; release, lateness and expiry are no states."""

    IN_PROGRESS = "IN_PROGRESS"
    SUBMITTED = "SUBMITTED"
    UNDER_REVIEW = "UNDER_REVIEW"
    GRADED = "GRADED"
    VOIDED = "VOIDED"


class Cause(StrEnum):
    """Who ended an attempt."""

    LEARNER = "learner"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Course:
    """The live version of a course, as far as assessment needs it."""

    name: str
    id: UUID
    title: str
    version: int
    time_zone: str
    skills: Mapping[str, PublishedSkill]
    categories: tuple[PublishedCategory, ...]
    lessons: Mapping[str, PublishedLesson]
    thresholds: Thresholds

    def parameters(self, skill: str) -> SkillParameters:
        """Knowledge tracing parameters of a skill that the course has."""
        found = self.skills[skill]
        return SkillParameters(found.prior, found.learn, found.guess, found.slip)

    def limits(self, skill: str) -> Thresholds:
        """Where the bands of a skill meet: its own limits, or else the course's."""
        found, general = self.skills[skill], self.thresholds
        below, upon = found.remediation_below, found.challenge_from
        return Thresholds(
            general.remediation_below if below is None else below,
            general.challenge_from if upon is None else upon,
        )

    def basis(self, skill: str) -> str:
        """What a fold of the skill rests on: the rules, its parameters and its bands, to be compared."""
        return f"{CALCULATION} {self.parameters(skill)} {self.limits(skill)}"

    def practises(self, pool: str, question: str) -> bool:
        """Whether a lesson embeds the question; a lesson that names none embeds the whole pool."""
        return any(
            pool in lesson.practice
            and (not lesson.practice[pool] or question in lesson.practice[pool])
            for lesson in self.lessons.values()
        )


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A learner in a course."""

    id: UUID
    learner_id: UUID
    course: str
    cohort: str | None
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exam:
    """A declared exam: its live version and its policy."""

    id: UUID
    name: str
    course: str
    title: str
    purpose: str
    version: int
    version_id: UUID
    digest: str
    policy: ExamPolicy
    retired: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a learner at an exam."""

    id: UUID
    exam_id: UUID
    exam_version_id: UUID
    learner_id: UUID
    enrolment_id: UUID
    course: str
    cohort: str | None
    number: int
    seed: bytes
    state: AttemptState
    started_at: datetime
    deadline_at: datetime | None
    submitted_at: datetime | None
    cause: Cause | None
    run: int
    version: int


@dataclass(frozen=True, slots=True)
class Item:
    """A slot of an attempt with its frozen question and the answer stored last.

    Attributes:
        seq: Number of the answer, 0 when there is none.
        answer: The answer by stable keys, or None when there is none or it was cleared.
    """

    slot: int
    zone: str
    question_id: UUID
    question_version_id: UUID
    points: int
    layout: Layout
    question: Question
    seq: int = 0
    answer: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Sitting:
    """An attempt with everything needed to show or grade it."""

    attempt: Attempt
    exam: Exam
    content: ExamContent
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """What an attempt came to in its newest grading run; points are exact."""

    attempt_id: UUID
    run: int
    points: Fraction
    max_points: int
    passed: bool
    graded_at: datetime
    release_due_at: datetime | None
    released_at: datetime | None
    answers_released_at: datetime | None
