"""What classes are told, and what teachers write to one learner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.events import AnnouncementPosted, MessageSent
from kourse.contracts.permissions import Permission
from kourse.kit import outbox
from kourse.kit.audit.recording import record
from kourse.kit.auth import Actor
from kourse.profile.repository import members, posts
from kourse.profile.service.access import enter


async def announce(
    tx: AsyncSession, actor: Actor, name: str, values: Mapping[str, Any]
) -> Row[Any]:
    """The announcement, for all members of the cohort to read.

    Raises:
        Forbidden: The actor neither leads nor teaches the cohort.
        NotFound: There is no such cohort, as far as the actor may know.
    """
    cohort = await enter(tx, actor, name, Permission.COHORT_ANNOUNCE)
    post_id = await posts.add_announcement(tx, cohort.id, actor.user_id, values)
    await outbox.emit(
        tx,
        AnnouncementPosted(
            cohort_id=cohort.id, cohort=name, announcement_id=post_id, author_id=actor.user_id
        ),
    )
    return await posts.get_announcement(tx, post_id)


async def list_announcements(
    tx: AsyncSession, actor: Actor, name: str, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """A cohort's announcements, newest first.

    Raises:
        Forbidden: The actor is no member and does not teach it.
        NotFound: There is no such cohort, as far as the actor may know.
    """
    cohort = await enter(tx, actor, name, Permission.COHORT_ATTEND)
    return await posts.list_announcements(tx, cohort.id, after, limit)


async def withdraw(tx: AsyncSession, actor: Actor, name: str, announcement_id: UUID) -> None:
    """Nobody reads the announcement any more.

    Raises:
        Forbidden: The actor neither leads nor teaches the cohort.
        NotFound: There is no such cohort, as far as the actor may know, or no such announcement.
    """
    cohort = await enter(tx, actor, name, Permission.COHORT_ANNOUNCE)
    if not await posts.delete_announcement(tx, cohort.id, announcement_id):
        raise NotFound(f"{name!r} has no such announcement.")


async def write(
    tx: AsyncSession, actor: Actor, name: str, learner_id: UUID, values: Mapping[str, Any]
) -> Row[Any]:
    """The message to a member of a cohort that the actor teaches; that it was sent is audited.

    Raises:
        Forbidden: The actor teaches nobody.
        NotFound: There is no such cohort, as far as the actor may know, or no such member in it.
    """
    cohort = await enter(tx, actor, name, Permission.COHORT_MESSAGE)
    if not await members.is_member(tx, cohort.id, learner_id):
        raise NotFound(f"{name!r} has no such member.")
    post_id = await posts.add_message(tx, cohort.id, actor.user_id, learner_id, values)
    detail = {"member": str(learner_id), "message": str(post_id)}
    await record(tx, "cohort.message.sent", actor=actor.user_id, target=name, detail=detail)
    await outbox.emit(
        tx, MessageSent(learner_id=learner_id, message_id=post_id, author_id=actor.user_id)
    )
    return await posts.get_message(tx, post_id)


async def list_sent(
    tx: AsyncSession, actor: Actor, name: str, learner_id: UUID, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """What teachers of the cohort wrote to one of its learners, newest first.

    Raises:
        Forbidden: The actor teaches nobody.
        NotFound: There is no such cohort, as far as the actor may know.
    """
    cohort = await enter(tx, actor, name, Permission.COHORT_MESSAGE)
    return await posts.list_sent(tx, cohort.id, learner_id, after, limit)


async def list_received(
    tx: AsyncSession, learner_id: UUID, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """What was written to the learner, newest first."""
    return await posts.list_received(tx, learner_id, after, limit)


async def mark_read(tx: AsyncSession, learner_id: UUID, message_id: UUID) -> None:
    """The message is read; doing it again changes nothing.

    Raises:
        NotFound: The learner has no such message.
    """
    if not await posts.mark_read(tx, learner_id, message_id):
        raise NotFound("You have no such message.")
