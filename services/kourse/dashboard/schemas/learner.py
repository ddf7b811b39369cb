"""What learners see of themselves, as JSON."""

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
    next_because: Annotated[
        str | None,
        Field(
            description="Why this lesson comes next, in words.",
            examples=["It is the next one of the main path."],
        ),
    ] = None
    last_activity_at: datetime | None
    mastery: list[SkillMastery] = Field(default_factory=list)
    scores: list[ScoreCard] = Field(default_factory=list)


class DueCard(View):
    """Something that the learner has not handed in and still can."""

    course: str
    assignment: str
    title: str
    due_at: Annotated[datetime, Field(description="When it is due for this learner (UTC).")]


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
    due: Annotated[list[DueCard], Field(description="What is to be handed in, the earliest first.")]
    goals: list[GoalCard]
    points: Standing | None
    partial: Annotated[
        list[str],
        Field(
            description="Parts that did not answer in time and are missing: `progress`, `due`, "
            "`mastery`, `scores`, `goals` or `points`.",
            examples=[["goals"]],
        ),
    ]
    as_of: datetime
