"""Assignments with the dates that hold for one learner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.course.domain.announcements import window_of
from kourse.course.errors import NotEnrolled
from kourse.course.repository import learning, outline
from kourse.kit.clock import database_now
from kourse.rules.dates import (
    Dates,
    Effective,
    Frame,
    Layer,
    Run,
    Source,
    dates_of,
    effective,
    zone_of,
)


@dataclass(frozen=True)
class Work:
    """An assignment of the live version, as one learner has it.

    Attributes:
        row: What is to be done.
        policy: Limits in wire form: ``latePolicy``, ``extensions``, ``maxSizeMib``.
        effective: Its dates and who set each.
    """

    row: Row[Any]
    policy: Mapping[str, Any]
    effective: Effective


async def list_work(tx: AsyncSession, learner_id: UUID, name: str) -> list[Work]:
    """The assignments that have opened for the learner, in order.

    Raises:
        NotFound: There is no such course.
        NotEnrolled: The learner is not enrolled in it.
    """
    course = await outline.get_live(tx, name)
    enrolment = await learning.find_enrolment(tx, course.id, learner_id)
    if enrolment is None or enrolment.status != "active":
        raise NotEnrolled(f"Enrol in {name!r} first.", extensions={"course": name})
    cohort = await learning.find_cohort(tx, enrolment.cohort_id)
    now = await database_now(tx)
    found = [
        Work(
            row,
            course.policy.get("assignments", {}).get(row.key, {}),
            effective_dates(course, enrolment, cohort, row.key),
        )
        for row in await outline.list_assignments(tx, course.id, course.version)
    ]
    return [work for work in found if _has_opened(work.effective.dates.opens_at, now)]


def _has_opened(opens_at: datetime | None, now: datetime) -> bool:
    return opens_at is None or opens_at <= now


def effective_dates(
    course: Row[Any], enrolment: Row[Any], cohort: Row[Any] | None, assignment: str
) -> Effective:
    """The dates of an assignment for one enrolment: the course's default, then the cohort's own.

    Outside any cohort the run starts on the day of the enrolment, in the course's time zone.
    """
    zone = zone_of(course.time_zone)
    run = (
        Run(enrolment.created_at.astimezone(zone).date(), zone)
        if cohort is None
        else Run(cohort.starts_on, zone_of(cohort.time_zone))
    )
    default = dates_of(window_of(course.policy, assignment), Frame(zone, run))
    own = [
        Layer(Source.COHORT, _stored(entry))
        for entry in (cohort.dates if cohort is not None else ())
        if entry["course"] == course.name and entry.get("assignment") == assignment
    ]
    return effective([Layer(Source.DEFAULT, default), *own])


def _stored(entry: Mapping[str, Any]) -> Dates:
    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(entry[name]) if entry.get(name) else None

    return Dates(moment("opens_at"), moment("due_at"), moment("closes_at"))
