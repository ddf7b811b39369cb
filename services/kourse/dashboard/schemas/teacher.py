"""What teachers see of those in their scope, as JSON. Shares are 0 to 1, times are UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from kourse.kit.http import Page, View

Partial = Annotated[
    list[str],
    Field(
        description="Parts that did not answer in time and are missing: `names`.",
        examples=[["names"]],
    ),
]
AsOf = Annotated[datetime, Field(description="When this was read; what changed since is missing.")]
Name = Annotated[
    str | None,
    Field(description="Display name; null while profile does not answer.", examples=["Rui Teste"]),
]
MeanMastery = Annotated[
    float | None,
    Field(
        ge=0,
        le=1,
        description="Mean probability to know a skill, over the course's skills that the learner has"
        " answered questions on; null: on none.",
        examples=[0.72],
    ),
]


class RiskView(View):
    """A rule of the course's `atRisk` that applies to the learner."""

    reason: Annotated[
        str,
        Field(
            description="`inactive`, `mastery-before-due`, `scores-fall` or `missed`.",
            examples=["inactive"],
        ),
    ]
    because: Annotated[
        str, Field(description="The same in words.", examples=["Nothing done since 2026-11-14."])
    ]


class LearnerRow(View):
    """One learner in one course."""

    enrolment_id: UUID
    learner_id: UUID
    name: Name
    course: str
    cohort: str | None
    completed: Annotated[int, Field(ge=0, description="Lessons of the main path completed.")]
    total: Annotated[int, Field(ge=0, description="Lessons of the live version's main path.")]
    mastery: MeanMastery
    last_activity_at: Annotated[
        datetime | None,
        Field(description="Last lesson, answer, attempt or hand-in in the course; null: none yet."),
    ]
    course_completed_at: Annotated[
        datetime | None, Field(description="When the course was completed; null: not yet.")
    ]
    at_risk_since: Annotated[
        datetime | None, Field(description="Since when any rule applies; null: none does.")
    ]
    risks: Annotated[list[RiskView], Field(description="All rules that apply; none: not at risk.")]


class LearnerTable(Page[LearnerRow]):
    """Learners of a course or cohort."""

    partial: Partial
    as_of: AsOf


class SkillColumn(View):
    """A skill of the course."""

    skill: Annotated[str, Field(description="Key of the skill.", examples=["sampling"])]
    title: str


class MasteryRow(View):
    """One learner's mastery of every skill of a course."""

    learner_id: UUID
    name: Name
    cohort: str | None
    mastery: Annotated[
        list[float | None],
        Field(
            description="Probability to know each skill, in the order of `skills`; null: no answer yet.",
            examples=[[0.83, None]],
        ),
    ]


class MasteryMatrix(View):
    """Learners by skills."""

    course: str
    skills: list[SkillColumn]
    rows: list[MasteryRow]
    next: str | None = None
    partial: Partial
    as_of: AsOf
