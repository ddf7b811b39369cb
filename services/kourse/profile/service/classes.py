"""Cohorts as their members and teachers see them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.permissions import Permission, Place
from kourse.contracts.resources.cohort import JoinPolicy
from kourse.kit.audit.recording import record
from kourse.kit.auth import Actor
from kourse.kit.clock import database_now
from kourse.profile.domain import codes
from kourse.profile.domain.recurrence import Occurrence
from kourse.profile.errors import CohortClosed
from kourse.profile.repository import cohorts, members
from kourse.profile.service import calendar
from kourse.profile.service.access import enter


@dataclass(frozen=True)
class Seen:
    """A cohort as one person sees it.

    Attributes:
        row: The cohort.
        role: Their role in it: learner, leader or teacher.
        meetings: Its recurring meetings.
        next_meeting: The next one, or None.
        members: How many members it has; None for those who neither lead nor teach it.
    """

    row: Row[Any]
    role: str
    meetings: Sequence[Row[Any]]
    next_meeting: Occurrence | None
    members: int | None


async def list_seen(tx: AsyncSession, actor: Actor, after: str | None, limit: int) -> list[Seen]:
    """Cohorts in which the person is a member, and those that they teach, by name."""
    taught = (
        None
        if actor.holds(Permission.COHORT_READ)
        else actor.scope_names(Permission.COHORT_READ, "cohort")
    )
    rows = await members.list_cohorts(tx, actor.user_id, taught, after, limit)
    return await _seen(tx, actor, [(row, row.role) for row in rows])


async def read(tx: AsyncSession, actor: Actor, name: str) -> Seen:
    """A cohort of which the person is a member or a teacher.

    Raises:
        NotFound: There is none of that name, as far as the person may know.
    """
    row = await cohorts.find_cohort(tx, name)
    place = None if row is None else await members.place_of(tx, row.id, actor.user_id)
    if row is None or not (place or actor.holds(Permission.COHORT_READ, cohort=name)):
        raise NotFound(f"There is no cohort {name!r} here.")
    (seen,) = await _seen(tx, actor, [(row, place)])
    return seen


async def _seen(
    tx: AsyncSession, actor: Actor, found: Sequence[tuple[Row[Any], str | None]]
) -> list[Seen]:
    rows = [row for row, _ in found]
    meetings = await cohorts.list_meetings(tx, [row.id for row in rows])
    upcoming = await calendar.next_meetings(tx, rows, await database_now(tx))
    taught = {
        row.id
        for row, role in found
        if actor.holds(Permission.COHORT_READ, cohort=row.name) or role == Place.LEADER
    }
    counts = await cohorts.count_members(tx, taught) if taught else {}
    return [
        Seen(
            row=row,
            role=role or "teacher",
            meetings=meetings.get(row.id, ()),
            next_meeting=upcoming.get(row.id),
            members=counts.get(row.id, 0) if row.id in taught else None,
        )
        for row, role in found
    ]


async def list_members(
    tx: AsyncSession,
    actor: Actor,
    name: str,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Members of a cohort in the order in which they joined; the look is audited.

    Raises:
        Forbidden: The actor neither leads nor teaches the cohort.
        NotFound: There is none of that name, as far as the person may know.
    """
    row = await enter(tx, actor, name, Permission.COHORT_READ)
    await record(tx, "cohort.members.read", actor=actor.user_id, target=name)
    return await members.list_members(tx, row.id, after, limit)


async def read_code(tx: AsyncSession, actor: Actor, name: str) -> Row[Any]:
    """The cohort's join code; a new one where there is none or the last has expired.

    Raises:
        Forbidden: The actor neither leads nor teaches the cohort.
        NotFound: There is no such cohort, as far as the person may know.
        CohortClosed: The cohort takes nobody by code.
    """
    row = await _with_code(tx, actor, name)
    found = await members.find_code(tx, row.id)
    if found is not None:
        return found
    await record(tx, "cohort.code.made", actor=actor.user_id, target=name)
    return await _new_code(tx, row)


async def rotate_code(tx: AsyncSession, actor: Actor, name: str) -> Row[Any]:
    """A new join code; the one before lets nobody in any more.

    Raises:
        Forbidden: The actor neither leads nor teaches the cohort.
        NotFound: There is no such cohort, as far as the person may know.
        CohortClosed: The cohort takes nobody by code.
    """
    row = await _with_code(tx, actor, name)
    await record(tx, "cohort.code.rotated", actor=actor.user_id, target=name)
    return await _new_code(tx, row)


async def _with_code(tx: AsyncSession, actor: Actor, name: str) -> Row[Any]:
    # Locked, so that two teachers who ask at once get the same code.
    row = await enter(tx, actor, name, Permission.COHORT_CODE, lock=True)
    if row.join_policy != JoinPolicy.CODE.value or row.retired_at is not None:
        raise CohortClosed(f"{row.title!r} takes nobody by code.")
    return row


async def _new_code(tx: AsyncSession, row: Row[Any]) -> Row[Any]:
    code = codes.make_code(secrets.randbelow)
    return await members.put_code(tx, row.id, code, codes.digest_of(code), row.code_valid_days)
