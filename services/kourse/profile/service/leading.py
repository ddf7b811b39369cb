"""Who leads a cohort: one of its members, or nobody."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.events import GroupTransferred
from kourse.contracts.permissions import Permission
from kourse.kit import outbox
from kourse.kit.audit.recording import record
from kourse.kit.auth import Actor
from kourse.profile.repository import members
from kourse.profile.service.access import enter


async def hand_over(tx: AsyncSession, actor: Actor, name: str, leader_id: UUID) -> None:
    """The member leads the cohort from now on, and whoever led it does no more; it is audited.

    Raises:
        Forbidden: The actor neither leads nor teaches the cohort.
        NotFound: There is no such cohort, as far as the actor may know, or no such member in it.
    """
    # Locked, so that of two who hand over at once the later one takes the place from the earlier.
    cohort = await enter(tx, actor, name, Permission.COHORT_TRANSFER, lock=True)
    if await members.leader_of(tx, cohort.id) == leader_id:
        return
    await members.clear_leader(tx, cohort.id)
    if not await members.set_leader(tx, cohort.id, leader_id):
        raise NotFound(f"{name!r} has no such member.")
    detail = {"leader": str(leader_id)}
    await record(tx, "cohort.leader.changed", actor=actor.user_id, target=name, detail=detail)
    await outbox.emit(
        tx,
        GroupTransferred(
            cohort_id=cohort.id, cohort=name, leader_id=leader_id, actor_id=actor.user_id
        ),
    )
