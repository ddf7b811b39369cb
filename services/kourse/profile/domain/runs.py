"""A cohort's run: its dates as instants, and what siblings are told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from kourse.contracts.errors import Invalid, InvalidDates
from kourse.contracts.events import CohortDates, CohortDeclared
from kourse.contracts.resources import CohortSpec
from kourse.contracts.resources.cohort import Meeting as DeclaredMeeting
from kourse.contracts.resources.cohort import RunDates
from kourse.profile.domain import recurrence
from kourse.profile.domain.recurrence import Meeting
from kourse.rules import dates as rules
from kourse.rules.documents import require_valid


@dataclass(frozen=True)
class Run:
    """First and last day, in the run's time zone."""

    starts: date
    ends: date
    zone: ZoneInfo


def run_of(spec: CohortSpec) -> Run:
    """The run that the document declares.

    Raises:
        UnknownTimeZone: Its time zone is not in the IANA database.
        InvalidDates: A day is on no calendar.
    """
    zone = rules.zone_of(spec.run.time_zone)
    return Run(rules.day_of(spec.run.starts), rules.day_of(spec.run.ends), zone)


def check(spec: CohortSpec) -> None:
    """Returns when the document can be stored.

    Raises:
        Invalid: It breaks a rule that the resource's schema states, or dates one thing twice.
        UnknownTimeZone: Its time zone is not in the IANA database.
        InvalidDates: A date is on no calendar or stands in an impossible order.
        InvalidRecurrence: A meeting's rule cannot be used.
    """
    require_valid(spec)
    run = run_of(spec)
    resolved(spec, run)
    _require_dated_once(spec)
    for entry in spec.schedule:
        recurrence.check(meeting_of(entry), run.zone, run.ends)


def _require_dated_once(spec: CohortSpec) -> None:
    seen = set()
    for entry in spec.dates:
        key = (entry.course, entry.assignment, entry.exam)
        if key in seen:
            raise Invalid(f"The dates of {_named(entry)} are given twice.")
        seen.add(key)


def _named(entry: RunDates) -> str:
    what = f"assignment {entry.assignment!r}" if entry.assignment else f"exam {entry.exam!r}"
    return f"the {what} of {entry.course!r}"


def resolved(spec: CohortSpec, run: Run) -> list[CohortDates]:
    """The cohort's own dates as instants, in document order.

    Raises:
        InvalidDates: A date is on no calendar or stands in an impossible order.
    """
    frame = rules.Frame(run.zone, rules.Run(run.starts, run.zone))
    found = []
    for entry in spec.dates:
        try:
            dates = rules.dates_of(entry.dates, frame)
        except InvalidDates as error:
            raise InvalidDates(f"The dates of {_named(entry)}: {error.detail}") from None
        found.append(
            CohortDates(
                course=entry.course,
                assignment=entry.assignment,
                exam=entry.exam,
                opens_at=dates.opens_at,
                due_at=dates.due_at,
                closes_at=dates.closes_at,
            )
        )
    return found


def announced(cohort_id: UUID, name: str, spec: CohortSpec) -> CohortDeclared:
    """The event that the cohort is there as the document says."""
    run = run_of(spec)
    return CohortDeclared(
        cohort_id=cohort_id,
        cohort=name,
        title=spec.title,
        courses=spec.courses,
        starts_on=run.starts,
        ends_on=run.ends,
        time_zone=spec.run.time_zone,
        dates=resolved(spec, run),
        submissions_mib=spec.quotas.submissions_mib,
    )


def meeting_of(declared: DeclaredMeeting) -> Meeting:
    """The recurring meeting that the document declares."""
    return Meeting(
        title=declared.title,
        starts=declared.starts,
        minutes=declared.minutes,
        rrule=declared.rrule,
        exceptions=tuple(declared.exceptions),
    )
