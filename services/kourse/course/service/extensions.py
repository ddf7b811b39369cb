"""More time for one learner or one cohort, given by a teacher with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.events import AssignmentExtended
from kourse.contracts.permissions import Permission
from kourse.course.errors import ExtensionShortens
from kourse.course.repository import hand_ins, learning, outline
from kourse.course.service.assignments import get_assignment, list_effective
from kourse.kit import outbox
from kourse.kit.audit.recording import record
from kourse.kit.auth import Actor
from kourse.kit.clock import database_now
from kourse.rules.dates import Dates, zone_of


@dataclass(frozen=True)
class Order:
    """Who gets how much more time, and why.

    Attributes:
        learner_id: The one learner, or None where it is a cohort.
        cohort: The cohort, or None.
        due_at: The new due time; None leaves it.
        closes_at: The new close; None leaves it, but never before the due time.
        reason: What the teacher says; it is audited.
    """

    learner_id: UUID | None
    cohort: str | None
    due_at: datetime | None
    closes_at: datetime | None
    reason: str


async def extend(
    tx: AsyncSession, actor: Actor, course: str, assignment: str, order: Order
) -> Row[Any]:
    """The extension; it holds at once on every surface, and reopens what was closed.

    Raises:
        NotFound: There is no such assignment, learner or cohort for the teacher.
        ExtensionShortens: Somebody would have less time than before.
    """
    found = await outline.get_live(tx, course)
    work = await get_assignment(tx, found, assignment)
    enrolments = await _concerned(tx, actor, found, order)
    before = await list_effective(tx, found, enrolments, [assignment])
    row = await hand_ins.add_extension(
        tx,
        {
            "course_id": found.id,
            "assignment_id": work.id,
            "learner_id": order.learner_id,
            "cohort": order.cohort,
            "due_at": order.due_at,
            "closes_at": order.closes_at,
            "reason": order.reason,
            "actor_id": actor.user_id,
        },
    )
    after = await list_effective(tx, found, enrolments, [assignment])
    for key, then in before.items():
        _require_longer(then.dates, after[key].dates, found.time_zone)
    now = await database_now(tx)
    await hand_ins.look_again(tx, [one.id for one in enrolments], now)
    ends = [(one, _end(after[one.id, assignment].dates, order)) for one in enrolments]
    await outbox.emit_all(tx, _told(found, work, actor.user_id, ends))
    await record(
        tx,
        "assignment.extend",
        actor=actor.user_id,
        target=work.id,
        detail={
            "learner": str(order.learner_id or ""),
            "cohort": order.cohort or "",
            "due_at": _written(order.due_at),
            "closes_at": _written(order.closes_at),
            "reason": order.reason,
        },
    )
    return row


async def tell_newcomer(tx: AsyncSession, enrolment: Row[Any], course: str) -> None:
    """What the cohort was given before the learner joined it is told of them too; reminders follow."""
    given = await hand_ins.list_cohort_extensions(tx, enrolment.course_id, enrolment.cohort)
    if not given:
        return
    try:
        found = await outline.get_live(tx, course)
    except NotFound:
        # Nothing of the course is live any more, and so nothing of it is due.
        return
    works = await outline.list_assignments(tx, found.id, found.version)
    newest = {
        row.assignment_id: row for row in sorted(given, key=lambda row: row.due_at is not None)
    }
    dates = await list_effective(tx, found, [enrolment], [row.key for row in works])
    for work in works:
        if (row := newest.get(work.id)) is not None:
            due_at = _end(dates[enrolment.id, work.key].dates, row)
            await outbox.emit_all(tx, _told(found, work, row.actor_id, [(enrolment, due_at)]))


async def _concerned(
    tx: AsyncSession, actor: Actor, course: Row[Any], order: Order
) -> Sequence[Row[Any]]:
    """The enrolments that get more time, locked in order, when the teacher may decide on them."""
    may = Permission.ASSIGNMENT_EXTEND
    if order.learner_id is not None:
        found = await learning.active_enrolments(tx, course.id, [order.learner_id], lock=True)
        if not found or not actor.holds(may, course=course.name, cohort=found[0].cohort):
            raise NotFound("There is no such learner for you in this course.")
        return found
    if not actor.holds(may, course=course.name, cohort=order.cohort):
        raise NotFound(f"There is no cohort {order.cohort!r} for you in this course.")
    known = await learning.find_cohort_named(tx, order.cohort or "", course.name)
    if known is None:
        raise NotFound(f"There is no cohort {order.cohort!r} for you in this course.")
    members = await learning.members_of(tx, known.cohort_id)
    found = await learning.active_enrolments(tx, course.id, members, lock=True)
    return [one for one in found if one.cohort == order.cohort]


def _require_longer(before: Dates, after: Dates, zone: str) -> None:
    for name in ("due_at", "closes_at"):
        then, now = getattr(before, name), getattr(after, name)
        if then is None and now is not None:
            raise ExtensionShortens(
                "There was no such limit before, so there is nothing to extend."
            )
        if then is not None and now is not None and now < then:
            local = then.astimezone(zone_of(zone))
            raise ExtensionShortens(f"It would end before {local:%Y-%m-%d %H:%M} ({zone}).")


def _told(
    course: Row[Any],
    work: Row[Any],
    actor_id: UUID,
    ends: Sequence[tuple[Row[Any], datetime | None]],
) -> list[AssignmentExtended]:
    """What is told of enrolments with their new ends; nothing where the close alone moves."""
    return [
        AssignmentExtended(
            enrolment_id=one.id,
            learner_id=one.learner_id,
            course_id=course.id,
            course=course.name,
            cohort=one.cohort,
            assignment_id=work.id,
            assignment=work.key,
            due_at=due_at,
            actor_id=actor_id,
        )
        for one, due_at in ends
        if due_at is not None
    ]


def _end(dates: Dates, order: Order | Row[Any]) -> datetime | None:
    """Until when there is time now: the due time if that moved, the close of what is never due."""
    if dates.due_at is None:
        return dates.closes_at
    return None if order.due_at is None else dates.due_at


def _written(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()


async def list_extensions(
    tx: AsyncSession,
    course: str,
    assignment: str,
    *,
    cohorts: frozenset[str] | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Extensions of an assignment in the order in which they were given.

    Raises:
        NotFound: There is no such assignment.
    """
    found = await outline.get_live(tx, course)
    work = await get_assignment(tx, found, assignment)
    return await hand_ins.page_extensions(tx, work.id, cohorts, after, limit)
