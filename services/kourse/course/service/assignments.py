"""Assignments as one learner has them: the limits, and the dates that hold for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Conflict, NotFound
from kourse.contracts.resources.course import AssignmentPolicy
from kourse.course.domain.content import assignment_policy
from kourse.course.domain.parts import assignment_id
from kourse.course.errors import NotEnrolled
from kourse.course.repository import groups, hand_ins, learning, outline
from kourse.kit.clock import database_now
from kourse.rules.dates import (
    Dates,
    Effective,
    Frame,
    Layer,
    Run,
    Source,
    cut_off,
    dates_of,
    effective,
    latest,
    prolonged,
    zone_of,
)


@dataclass(frozen=True)
class Work:
    """An assignment of the live version, as one learner has it.

    Attributes:
        row: What is to be done.
        policy: Limits of files and hand-ins, and the late policy.
        effective: Its dates and who set each.
        hand_ins: How often it was handed in.
        submission_id: What was handed in, or is about to be; None before the first file.
    """

    row: Row[Any]
    policy: AssignmentPolicy
    effective: Effective
    hand_ins: int = 0
    submission_id: UUID | None = None


@dataclass(frozen=True)
class Place:
    """Where a learner stands with one assignment.

    Attributes:
        course: The course with its live version.
        work: The assignment with the dates that hold for the learner, or their group.
        enrolment: The learner's enrolment.
        group: The group that hands in as one, or None.
        members: Enrolments for which a hand-in counts, the learner's own among them.
        now: The database's time.
    """

    course: Row[Any]
    work: Work
    enrolment: Row[Any]
    group: Row[Any] | None
    members: tuple[Row[Any], ...]
    now: datetime

    @property
    def owner(self) -> UUID:
        """Whose submission it is: the group's, or the enrolment's."""
        owner: UUID = self.enrolment.id if self.group is None else self.group.id
        return owner


async def list_work(tx: AsyncSession, learner_id: UUID, name: str) -> list[Work]:
    """The assignments that have opened for the learner, in order.

    Raises:
        NotFound: There is no such course.
        NotEnrolled: The learner is not enrolled in it.
    """
    course, enrolment = await _membership(tx, learner_id, name)
    rows = await outline.list_assignments(tx, course.id, course.version)
    ids = [row.id for row in rows]
    theirs = await groups.groups_of_learner(tx, ids, learner_id)
    begun = await hand_ins.count_hand_ins(tx, course.id, [enrolment.id, *theirs.values()])
    now = await database_now(tx)
    found = []
    for row in rows:
        members: Sequence[Row[Any]] = [enrolment]
        if row.id in theirs:
            learners = await groups.list_members(tx, theirs[row.id])
            members = await learning.active_enrolments(tx, course.id, learners)
        submission = begun.get(row.id)
        dates = await effective_dates(tx, course, members, row.key)
        found.append(
            Work(
                row,
                assignment_policy(course.policy, row.key),
                dates,
                submission.hand_ins if submission else 0,
                submission.id if submission else None,
            )
        )
    return [work for work in found if _has_opened(work.effective.dates.opens_at, now)]


async def locate(
    tx: AsyncSession, learner_id: UUID, name: str, key: str, *, lock: bool = False
) -> Place:
    """Where the learner stands with the assignment, at the present moment.

    With ``lock`` neither the group nor what closes for its members changes until the commit.

    Raises:
        NotFound: There is no such course or assignment, or it has not opened for the learner.
        NotEnrolled: The learner is not enrolled in the course.
    """
    course, enrolment = await _membership(tx, learner_id, name)
    row = await get_assignment(tx, course, key)
    group = await groups.find_of_learner(tx, row.id, learner_id, lock=lock)
    learners = [learner_id] if group is None else await groups.list_members(tx, group.id)
    members = await learning.active_enrolments(tx, course.id, learners, lock=lock)
    if not any(one.id == enrolment.id for one in members):
        raise Conflict("Your group or your enrolment has just changed; try again.")
    if lock:
        # The dates may have been moved while this waited for its turn.
        course = await outline.get_live(tx, name)
    owner = enrolment.id if group is None else group.id
    submission = await hand_ins.find_submission(tx, row.id, owner)
    work = Work(
        row,
        assignment_policy(course.policy, key),
        await effective_dates(tx, course, members, key),
        submission.hand_ins if submission else 0,
        submission.id if submission else None,
    )
    now = await database_now(tx)
    if not _has_opened(work.effective.dates.opens_at, now):
        raise NotFound(f"The course {name!r} has no assignment {key!r} for you.")
    return Place(course, work, enrolment, group, tuple(members), now)


async def get_assignment(tx: AsyncSession, course: Row[Any], key: str) -> Row[Any]:
    """The assignment of that key in the course's live version.

    Raises:
        NotFound: There is none.
    """
    for row in await outline.list_assignments(tx, course.id, course.version):
        if row.key == key:
            return row
    raise NotFound(f"The course {course.name!r} has no assignment {key!r} for you.")


async def _membership(tx: AsyncSession, learner_id: UUID, name: str) -> tuple[Row[Any], Row[Any]]:
    course = await outline.get_live(tx, name)
    enrolment = await learning.find_enrolment(tx, course.id, learner_id)
    if enrolment is None or enrolment.status != "active":
        raise NotEnrolled(f"Enrol in {name!r} first.", extensions={"course": name})
    return course, enrolment


def _has_opened(opens_at: datetime | None, now: datetime) -> bool:
    return opens_at is None or opens_at <= now


async def effective_dates(
    tx: AsyncSession, course: Row[Any], enrolments: Sequence[Row[Any]], assignment: str
) -> Effective:
    """The dates that hold for these enrolments together: of a group the latest of any member's."""
    found = await list_effective(tx, course, enrolments, [assignment])
    return latest([found[one.id, assignment] for one in enrolments])


async def list_effective(
    tx: AsyncSession, course: Row[Any], enrolments: Sequence[Row[Any]], assignments: Sequence[str]
) -> dict[tuple[UUID, str], Effective]:
    """The dates of each of these assignments for each of these enrolments."""
    cohorts = await learning.list_cohorts(tx, {one.cohort_id for one in enrolments} - {None})
    learners = [one.learner_id for one in enrolments]
    extra = await learning.list_extra(tx, course.name, learners)
    ids = {assignment_id(course.id, key): key for key in assignments}
    given: dict[str, list[Row[Any]]] = {}
    for row in await hand_ins.list_extensions(tx, list(ids), learners):
        given.setdefault(ids[row.assignment_id], []).append(row)
    return {
        (one.id, key): dates_for(
            course,
            one,
            cohorts.get(one.cohort_id),
            key,
            given.get(key, ()),
            extra.get(one.learner_id),
        )
        for key in assignments
        for one in enrolments
    }


def dates_for(
    course: Row[Any],
    enrolment: Any,
    cohort: Row[Any] | None,
    assignment: str,
    extensions: Sequence[Row[Any]],
    extra: timedelta | None = None,
) -> Effective:
    """The dates of an assignment for one enrolment.

    The course's default, then the cohort's own, then extensions of the cohort, then those for the
    enrolment's labels, then ``extra`` time that the learner is granted everywhere, then their own
    extensions, each kind in the order given; then the late policy's cut-off. Outside any cohort the run
    starts on the day of the enrolment, in the course's time zone.
    """
    zone = zone_of(course.time_zone)
    run = (
        Run(enrolment.created_at.astimezone(zone).date(), zone)
        if cohort is None
        else Run(cohort.starts_on, zone_of(cohort.time_zone))
    )
    frame = Frame(zone, run)
    policy = assignment_policy(course.policy, assignment)
    layers = [Layer(Source.DEFAULT, dates_of(policy.dates, frame))]
    layers += [
        Layer(Source.COHORT, _stored(entry))
        for entry in (cohort.dates if cohort is not None else ())
        if entry["course"] == course.name and entry.get("assignment") == assignment
    ]
    layers += [
        Layer(Source.COHORT, _extended(row))
        for row in extensions
        if row.cohort is not None and row.cohort == enrolment.cohort
    ]
    layers += [
        Layer(Source.LABEL, dates_of(entry.dates, frame))
        for entry in policy.overrides
        if entry.label in enrolment.labels
    ]
    if extra:
        layers.append(prolonged(layers, extra))
    layers += [
        Layer(Source.PERSONAL, _extended(row))
        for row in extensions
        if row.learner_id == enrolment.learner_id
    ]
    return cut_off(effective(layers), policy.late_policy.cut_off_hours)


def _extended(row: Row[Any]) -> Dates:
    return Dates(due_at=row.due_at, closes_at=row.closes_at)


def _stored(entry: Mapping[str, Any]) -> Dates:
    def moment(name: str) -> datetime | None:
        return datetime.fromisoformat(entry[name]) if entry.get(name) else None

    return Dates(moment("opens_at"), moment("due_at"), moment("closes_at"))
