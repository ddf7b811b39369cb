"""The ExamConfig resource: what is drawn, when, for how long, and what learners see afterwards."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from kourse.contracts.resources.meta import (
    CelRule,
    DeletionPolicy,
    Document,
    DriftPolicy,
    Name,
    Names,
    Paragraph,
    Percent,
    Points,
    Status,
    Title,
    Window,
)


class Purpose(StrEnum):
    """Practice never counts; a quiz and an exam count in their grade category."""

    PRACTICE = "Practice"
    QUIZ = "Quiz"
    EXAM = "Exam"


class Shuffle(StrEnum):
    """What is put in random order, from the attempt's stored seed."""

    NOTHING = "Nothing"
    QUESTIONS = "Questions"
    OPTIONS = "Options"
    ALL = "All"


class Counting(StrEnum):
    """Which of several attempts counts."""

    HIGHEST = "Highest"
    LATEST = "Latest"
    FIRST = "First"


class Release(StrEnum):
    """When learners see something."""

    AT_GRADING = "AtGrading"
    AFTER_CLOSE = "AfterClose"
    MANUAL = "Manual"
    NEVER = "Never"


class Draw(Document):
    """Take ``count`` questions from the pools named, or from all pools that carry a label."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "(has(self.pools) && self.pools.size() > 0) != has(self.poolLabel)",
            "name the pools to draw from in 'pools' or by 'poolLabel', not both",
        ),
        CelRule(
            "self.minDifficulty <= self.maxDifficulty",
            "'minDifficulty' must not exceed 'maxDifficulty'",
        ),
    )
    pools: Names = Field(default_factory=list, description="Names of QuestionPools.")
    pool_label: Name | None = Field(
        None, description="A label; every pool that carries it is drawn from."
    )
    skills: Names = Field(
        default_factory=list, description="Only questions with one of these skills."
    )
    min_difficulty: int = Field(1, ge=1, le=5, description="Easiest difficulty to take.")
    max_difficulty: int = Field(5, ge=1, le=5, description="Hardest difficulty to take.")
    count: int = Field(ge=1, le=100, description="How many questions to take.")
    points: Points = Field(1, description="Points of each question drawn.")


class Zone(Document):
    """A part of the exam; zones keep their order."""

    key: Name
    title: Title
    draws: list[Draw] = Field(min_length=1, max_length=20, description="What questions it takes.")
    max_points: Points | None = Field(None, description="Points above this do not count.")


class Attempts(Document):
    """How often a learner may try and which attempt counts."""

    maximum: int = Field(1, ge=1, le=100, description="How many times a learner may try.")
    counts: Counting = Counting.HIGHEST


class LabelOverride(Document):
    """Other values for enrolments that carry a label; later overrides win field by field."""

    label: Name
    dates: Window | None = None
    time_limit_minutes: int | None = Field(
        None, ge=1, le=1440, description="Minutes for an attempt."
    )
    attempts: int | None = Field(None, ge=1, le=100, description="How many times they may try.")


class ReleasePolicy(Document):
    """When learners see the score, and when the answers and explanations."""

    scores: Release = Release.AT_GRADING
    answers: Release = Release.AFTER_CLOSE


class ExamConfigSpec(Document):
    """An exam, quiz or practice set as its authors declare it."""

    list_map_keys: ClassVar[dict[str, str]] = {"zones": "key", "overrides": "label"}
    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "self.courseRef == oldSelf.courseRef",
            "courseRef cannot change; make a new exam instead",
            ".courseRef",
        ),
        CelRule(
            "self.purpose == 'Practice' || has(self.category)",
            "a quiz or an exam needs a grade 'category'",
            ".category",
        ),
    )
    title: Title
    course_ref: Name = Field(description="Name of the Course it belongs to; fixed once set.")
    instructions: Paragraph | None = None
    purpose: Purpose = Purpose.EXAM
    category: Name | None = Field(None, description="Key of the course's grade category.")
    pass_mark: Percent = Field(50, description="Percent of the points that pass.")
    zones: list[Zone] = Field(
        min_length=1, max_length=20, description="Parts of the exam, in order."
    )
    shuffle: Shuffle = Shuffle.ALL
    dates: Window = Field(
        default_factory=Window, description="Default window; a cohort may set its own."
    )
    time_limit_minutes: int | None = Field(
        None, ge=1, le=1440, description="No limit when left out."
    )
    attempts: Attempts = Field(default_factory=Attempts)
    overrides: list[LabelOverride] = Field(
        default_factory=list,
        max_length=20,
        description="Other values for labelled enrolments, in order.",
    )
    release: ReleasePolicy = Field(default_factory=ReleasePolicy)
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    drift_policy: DriftPolicy = DriftPolicy.CORRECT


class ExamConfigStatus(Status):
    """What is live of an exam."""

    questions: int | None = Field(None, ge=0, description="How many questions an attempt has.")
    points: int | None = Field(None, ge=0, description="Points for full marks.")
    opens_at: str | None = Field(None, max_length=40, description="When it opens by default, UTC.")
    closes_at: str | None = Field(
        None, max_length=40, description="When it closes by default, UTC."
    )
    attempts: int | None = Field(None, ge=0, description="Attempts so far, refreshed in batches.")
