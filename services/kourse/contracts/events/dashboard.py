"""Facts that follow from looking at many others."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kourse.contracts.events.catalog import Event, Stream, event
from kourse.contracts.events.fields import Course, CourseId, EnrolmentId, LearnerId, OfCohort


class _OfRisk(Event):
    """Whom it is about."""

    enrolment_id: EnrolmentId
    learner_id: LearnerId
    course_id: CourseId
    course: Course
    cohort: OfCohort = None


@event(
    "dashboard.risk.raised",
    stream=Stream.RISK,
    subject="enrolment_id",
    to=("notification",),
    private=True,
)
class RiskRaised(_OfRisk):
    """A learner is at risk by a rule of the course, or by one more than before, so a nudge is due."""

    reasons: Annotated[
        list[str],
        Field(
            description="All rules that apply now: `inactive`, `mastery-before-due`, `scores-fall` or "
            "`missed`.",
            examples=[["inactive"]],
        ),
    ]


@event(
    "dashboard.risk.cleared",
    stream=Stream.RISK,
    subject="enrolment_id",
    private=True,
)
class RiskCleared(_OfRisk):
    """No rule says any more that the learner is at risk."""
