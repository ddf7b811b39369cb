"""What the dashboard shows, as JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from kourse.kit.http import View


class SkillMastery(View):
    """How well a learner knows one skill."""

    skill: str
    title: str
    probability: Annotated[float, Field(ge=0, le=1, description="Probability that it is known.")]
    answers: Annotated[int, Field(ge=0)]
    band: Annotated[str, Field(description="remediation, main or challenge.")]


class ScoreCard(View):
    """One released score."""

    attempt_id: UUID
    exam: str
    title: str
    points: Annotated[str, Field(description="Exact decimal.")]
    max_points: Annotated[str, Field(description="Exact decimal.")]
    passed: bool
    graded_at: datetime


class CourseCard(View):
    """One course that the learner studies."""

    course: str
    title: str
    cohort: str | None
    version: int
    completed: Annotated[int, Field(ge=0, description="Lessons completed.")]
    total: Annotated[int, Field(ge=0, description="Lessons of the live version.")]
    next_lesson: str | None
    next_lesson_title: str | None
    last_activity_at: datetime | None
    mastery: list[SkillMastery] = Field(default_factory=list)
    scores: list[ScoreCard] = Field(default_factory=list)


class GoalCard(View):
    """One goal of the learner."""

    id: UUID
    title: str
    target_date: date | None
    achieved: bool


class Standing(View):
    """Points and unread messages."""

    points: int
    level: int
    unread: int


class Overview(View):
    """A learner's dashboard."""

    courses: list[CourseCard]
    goals: list[GoalCard]
    points: Standing | None
    partial: Annotated[
        list[str], Field(description="Parts that did not answer in time and are missing.")
    ]
    as_of: datetime
