"""Leaving a cohort, by oneself or because a teacher ends the membership."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.events import GroupLeft
from kourse.contracts.permissions import Permission
from kourse.kit import outbox
from kourse.kit.audit.recording import record
from kourse.kit.auth import Actor
from kourse.profile.repository import cohorts, members
from kourse.profile.service.access import enter


async def leave(tx: AsyncSession, actor: Actor, name: str) -> None:
    """The person is no member any more, and their seat is free.

    Raises:
        NotFound: They are a member of no such cohort.
    """
    cohort = await cohorts.find_cohort(tx, name)
    if cohort is None or not await _end(tx, cohort, actor.user_id, actor):
        raise NotFound(f"You are in no cohort {name!r}.")


async def remove(tx: AsyncSession, actor: Actor, name: str, user_id: UUID) -> None:
    """A member of a cohort that the actor leads or teaches is none any more; it is audited.

    Raises:
        Forbidden: The actor neither leads nor teaches the cohort.
        NotFound: There is no such cohort, as far as the actor may know, or no such member in it.
    """
    cohort = await enter(tx, actor, name, Permission.COHORT_REMOVE)
    if not await _end(tx, cohort, user_id, actor):
        raise NotFound(f"{name!r} has no such member.")
    detail = {"member": str(user_id)}
    await record(tx, "cohort.member.removed", actor=actor.user_id, target=name, detail=detail)


async def _end(tx: AsyncSession, cohort: Row[Any], user_id: UUID, actor: Actor) -> bool:
    if not await members.is_member(tx, cohort.id, user_id):
        return False
    # The seats are locked before the membership, in the order in which those lock them who join.
    await members.give_seat_back(tx, cohort.id)
    if not await members.remove_member(tx, cohort.id, user_id):
        raise NotFound("The membership has just ended.")  # which takes no second seat back
    await outbox.emit(
        tx,
        GroupLeft(
            cohort_id=cohort.id,
            cohort=cohort.name,
            learner_id=user_id,
            courses=cohort.courses,
            actor_id=actor.user_id,
        ),
    )
    return True
