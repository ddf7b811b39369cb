"""Groups that hand in as one: who makes one up, as long as nobody of them has handed in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.permissions import Permission
from kourse.course.domain.content import assignment_policy
from kourse.course.errors import GroupFixed, HandInRefused
from kourse.course.repository import groups, hand_ins, learning, outline
from kourse.course.service.assignments import get_assignment
from kourse.kit.audit.recording import record
from kourse.kit.auth import Actor


async def put_group(
    tx: AsyncSession,
    actor: Actor,
    course: str,
    assignment: str,
    name: str,
    learners: Collection[UUID],
) -> list[UUID]:
    """These learners hand in as one from now on; their ids, sorted.

    Raises:
        NotFound: There is no such assignment, or no such learner for the teacher.
        HandInRefused: The assignment takes no group of this size, or they study in different cohorts.
        GroupFixed: One of them is in another group, or has handed in.
    """
    found = await outline.get_live(tx, course)
    work = await get_assignment(tx, found, assignment)
    most = assignment_policy(found.policy, assignment).group_size
    if len(set(learners)) > most:
        raise HandInRefused(f"At most {most} learners hand this in together.")
    group = await groups.claim(tx, found.id, work.id, name)
    before = await groups.list_members(tx, group.id)
    everybody = {*before, *learners}
    enrolments = await learning.active_enrolments(tx, found.id, everybody, lock=True)
    _require_mine(actor, course, enrolments, learners)
    await _require_free(tx, work.id, group.id, enrolments, learners)
    await groups.replace_members(tx, group, learners)
    await record(
        tx,
        "assignment.group",
        actor=actor.user_id,
        target=group.id,
        detail={"assignment": str(work.id), "members": sorted(map(str, learners))},
    )
    return await groups.list_members(tx, group.id)


def _require_mine(
    actor: Actor, course: str, enrolments: Sequence[Row[Any]], learners: Collection[UUID]
) -> None:
    may = Permission.ASSIGNMENT_EXTEND
    if any(not actor.holds(may, course=course, cohort=one.cohort) for one in enrolments):
        raise NotFound("There is no such learner for you in this course.")
    if missing := set(learners) - {one.learner_id for one in enrolments}:
        raise NotFound(f"There is no learner {min(missing)} for you in this course.")
    if len({one.cohort for one in enrolments if one.learner_id in learners}) > 1:
        raise HandInRefused("Only learners of one cohort hand in together.")


async def _require_free(
    tx: AsyncSession,
    assignment_id: UUID,
    group_id: UUID,
    enrolments: Sequence[Row[Any]],
    learners: Collection[UUID],
) -> None:
    if await groups.count_elsewhere(tx, assignment_id, group_id, learners):
        raise GroupFixed("One of them is in another group for this assignment.")
    done = await hand_ins.handed_in(tx, [one.id for one in enrolments])
    if any(of == assignment_id for _, of in done):
        raise GroupFixed("One of them has handed in already.")


async def delete_group(
    tx: AsyncSession, actor: Actor, course: str, assignment: str, name: str
) -> None:
    """Its learners hand in each alone again.

    Raises:
        NotFound: There is no such group for the teacher.
        GroupFixed: It has handed in.
    """
    found = await outline.get_live(tx, course)
    work = await get_assignment(tx, found, assignment)
    missing = NotFound(f"There is no group {name!r} for you.")
    group = await groups.find(tx, work.id, name)
    if group is None:
        raise missing
    members = await groups.list_members(tx, group.id)
    enrolments = await learning.active_enrolments(tx, found.id, members, lock=True)
    try:
        _require_mine(actor, course, enrolments, ())
    except NotFound:
        raise missing from None
    await _require_free(tx, work.id, group.id, enrolments, ())
    await groups.delete_group(tx, group.id)
    await record(tx, "assignment.group-deleted", actor=actor.user_id, target=group.id)


async def list_groups(
    tx: AsyncSession,
    course: str,
    assignment: str,
    *,
    cohorts: Collection[str] | None,
    after: str | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """The groups of an assignment with their members, by name: of everybody or of these cohorts.

    Raises:
        NotFound: There is no such assignment.
    """
    found = await outline.get_live(tx, course)
    work = await get_assignment(tx, found, assignment)
    return await groups.list_groups(tx, work, cohorts, after, limit)
