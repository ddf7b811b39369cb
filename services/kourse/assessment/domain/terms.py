"""The terms under which one learner takes an exam: window, time limit, attempts, and release.

Everything that shows or enforces a date of an exam comes through here, so that what is shown is what
is enforced.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from kourse.assessment.domain.accommodations import Granted
from kourse.assessment.domain.exams import ExamPolicy
from kourse.contracts.events import CohortDates
from kourse.contracts.resources.exam import LabelOverride, Release
from kourse.contracts.resources.meta import Window
from kourse.rules import dates, timing
from kourse.rules.dates import Dates, Frame, Layer, Run, Source, zone_of

NOTHING = Granted()
"""What most learners are granted beyond everybody else."""


@dataclass(frozen=True, slots=True)
class CohortRun:
    """A cohort's run and its own dates of exams."""

    starts_on: date
    time_zone: str
    dates: tuple[CohortDates, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one learner.

    Attributes:
        opens_at: Neither visible nor startable before, or None when always.
        due_at: Shown to the learner, or None.
        closes_at: Effective close, accommodations included, or None when it never closes.
        limit: Time for an attempt, accommodations included, or None without limit.
        attempts: How many attempts there are.
    """

    opens_at: datetime | None
    due_at: datetime | None
    closes_at: datetime | None
    limit: timedelta | None
    attempts: int

    def is_visible(self, now: datetime) -> bool:
        """Whether the learner may know of the exam."""
        return self.opens_at is None or self.opens_at <= now

    def is_closed(self, now: datetime) -> bool:
        """Whether no attempt can be started any more."""
        return self.closes_at is not None and now >= self.closes_at

    def deadline(self, started_at: datetime) -> datetime | None:
        """When an attempt started then ends, or None when nothing bounds it."""
        return timing.deadline(started_at, self.closes_at, self.limit)

    def released_at(self, release: Release, graded_at: datetime) -> datetime | None:
        """When something becomes visible by itself, or None when only a person can release it.

        After the close means after the last save of anyone with the same window is in.
        """
        match release:
            case Release.AT_GRADING:
                return graded_at
            case Release.AFTER_CLOSE:
                if self.closes_at is None:
                    return None
                return max(graded_at, self.closes_at + timing.SAVING_GRACE)
            case Release.MANUAL | Release.NEVER:
                return None


def default_window(policy: ExamPolicy, course_zone: str) -> Dates:
    """The exam's own window, outside any cohort's run."""
    return _instants(policy.dates, Frame(zone_of(course_zone)))


def terms(
    exam: str,
    policy: ExamPolicy,
    course_zone: str,
    cohort: CohortRun | None = None,
    labels: Sequence[str] = (),
    own: Granted = NOTHING,
) -> Terms:
    """The terms of one exam for an enrolment.

    Args:
        exam: The exam's name, by which cohorts set dates.
        policy: What the exam declares.
        course_zone: IANA time zone in which the exam's wall-clock times are read.
        cohort: The run of the enrolment's cohort, or None.
        labels: The enrolment's labels; of overrides that fit, later ones win field by field.
        own: What the learner alone is granted.
    """
    run = Run(cohort.starts_on, zone_of(cohort.time_zone)) if cohort else None
    frame = Frame(zone_of(course_zone), run)
    overrides = [override for override in policy.overrides if override.label in labels]
    layers = [*_layers(exam, policy, frame, cohort, overrides), *own.layers]
    window = dates.effective(layers).dates
    minutes = _last(
        [policy.time_limit_minutes, *(override.time_limit_minutes for override in overrides)]
    )
    limit = None if minutes is None else timedelta(minutes=minutes)
    attempts = _last([policy.attempts.maximum, *(override.attempts for override in overrides)])
    return Terms(
        window.opens_at,
        window.due_at,
        timing.effective_close(window.closes_at, limit, own.time_factor),
        timing.lengthened_limit(limit, own.time_factor),
        (attempts or policy.attempts.maximum) + own.extra_attempts,
    )


def _layers(
    exam: str,
    policy: ExamPolicy,
    frame: Frame,
    cohort: CohortRun | None,
    overrides: Iterable[LabelOverride],
) -> list[Layer]:
    layers = [Layer(Source.DEFAULT, _instants(policy.dates, frame))]
    layers += [
        Layer(Source.COHORT, Dates(own.opens_at, own.due_at, own.closes_at))
        for own in (cohort.dates if cohort else ())
        if own.exam == exam
    ]
    layers += [
        Layer(Source.LABEL, _instants(override.dates, frame))
        for override in overrides
        if override.dates is not None
    ]
    return layers


def _instants(window: Window, frame: Frame) -> Dates:
    """The moments one by one: a learner's window may be impossible without being an error of theirs."""
    return Dates(
        dates.instant(window.opens, frame),
        dates.instant(window.due, frame),
        dates.instant(window.closes, frame),
    )


def _last(values: Iterable[int | None]) -> int | None:
    return next((value for value in reversed(list(values)) if value is not None), None)
