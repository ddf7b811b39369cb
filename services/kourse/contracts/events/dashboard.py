"""Facts that follow from looking at many others."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kourse.contracts.events.catalog import Event, Stream, event
from kourse.contracts.events.fields import Course, CourseId, EnrolmentId, LearnerId


class _OfRisk(Event):
    """Whom it is about."""

    enrolment_id: EnrolmentId
    learner_id: LearnerId
    course_id: CourseId
    course: Course


@event(
    "dashboard.risk.raised",
    stream=Stream.RISK,
    subject="enrolment_id",
    private=True,
    planned=True,
)
class RiskRaised(_OfRisk):
    """A learner is at risk by a rule of the course, so that a nudge is due."""

    reasons: Annotated[
        list[str], Field(description="Names of the rules that apply.", examples=[["inactive"]])
    ]


@event(
    "dashboard.risk.cleared",
    stream=Stream.RISK,
    subject="enrolment_id",
    private=True,
    planned=True,
)
class RiskCleared(_OfRisk):
    """No rule says any more that the learner is at risk."""
