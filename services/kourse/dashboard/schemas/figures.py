"""Figures of a tenant, as JSON, each with its definition and unit."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from kourse.kit.http import View

Share = Annotated[float | None, Field(ge=0, le=1)]


class Figures(View):
    """Key figures of those who study, over all courses or in one."""

    learners: Annotated[int, Field(ge=0, description="Active enrolments.", examples=[412])]
    completion: Annotated[
        Share,
        Field(
            description="Share (0 to 1) of active enrolments that fulfil the course's completion rule;"
            " null without any.",
            examples=[0.41],
        ),
    ]
    mastery: Annotated[
        Share,
        Field(
            description="Mean over active enrolments of the learner's mean mastery (0 to 1); those who"
            " answered nothing are left out, null when nobody did.",
            examples=[0.72],
        ),
    ]
    feedback_hours: Annotated[
        float | None,
        Field(
            ge=0,
            description="Median hours from hand-in to released score, of attempts and hand-ins released"
            " in the last 30 days; null without any.",
            examples=[18.5],
        ),
    ]
    active: Annotated[
        Share,
        Field(
            description="Share (0 to 1) of active enrolments with a lesson, answer, attempt or hand-in in"
            " the last 7 days; null without any.",
            examples=[0.86],
        ),
    ]
    at_risk: Annotated[
        int, Field(ge=0, description="Active enrolments to which a rule applies.", examples=[17])
    ]


class CourseFigures(Figures):
    """Key figures of one course."""

    course: str
    title: str


class TenantFigures(View):
    """Key figures of a tenant."""

    tenant: Annotated[Figures, Field(description="Over all courses.")]
    courses: list[CourseFigures]
    as_of: Annotated[datetime, Field(description="When this was counted; up to five minutes ago.")]
