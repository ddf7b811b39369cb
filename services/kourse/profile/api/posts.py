"""Routes of what classes are told, and of what teachers write to one learner."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.idempotency import IdempotencyKey, idempotency
from kourse.profile import schemas
from kourse.profile.service import posts
from kourse.profile.service.access import enter

router = APIRouter(tags=["cohorts"])
CohortName = Annotated[str, Path(max_length=63, description="Name of the cohort.")]
Writer = Annotated[Actor, allow(Permission.COHORT_MESSAGE, scoped=True)]
Owner = Annotated[Actor, allow(Permission.PROFILE_OWN)]


async def _announcer(
    actor: Annotated[Actor, allow(Permission.COHORT_ANNOUNCE, scoped=True, by_place=True)],
    tx: Transaction,
    cohort: CohortName,
) -> Actor:
    # Before the body is read, of which nobody else learns what is wrong with it.
    await enter(tx, actor, cohort, Permission.COHORT_ANNOUNCE)
    return actor


Announcer = Annotated[Actor, Depends(_announcer)]


def _before(after: str | None) -> UUID | None:
    key = Cursor.decode(after, 1)
    try:
        return UUID(str(key[0])) if key else None
    except ValueError:
        raise Malformed("`after` is not a cursor of this list.") from None


@router.get("/v1/cohorts/{cohort}/announcements", summary="Announcements")
async def list_announcements(
    actor: Annotated[Actor, allow(Permission.COHORT_ATTEND, scoped=True, by_place=True)],
    tx: Transaction,
    cohort: CohortName,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.AnnouncementView]:
    """What a cohort that you are in or teach was told, newest first."""
    found = await posts.list_announcements(tx, actor, cohort, _before(after), limit + 1)
    items, following = Cursor.page(found, limit, key=lambda row: (row.id,))
    return Page(
        items=[schemas.AnnouncementView.model_validate(row) for row in items], next=following
    )


@router.post("/v1/cohorts/{cohort}/announcements", status_code=201, summary="Announce something")
async def announce(
    actor: Announcer,
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency()],
    cohort: CohortName,
    body: schemas.NewAnnouncement,
) -> schemas.AnnouncementView:
    """All members can read it and are told so."""
    row = await posts.announce(tx, actor, cohort, body.model_dump())
    return await key.remember(tx, 201, schemas.AnnouncementView.model_validate(row))


@router.delete(
    "/v1/cohorts/{cohort}/announcements/{announcement_id}",
    status_code=204,
    summary="Withdraw an announcement",
)
async def withdraw(
    actor: Announcer, tx: Transaction, cohort: CohortName, announcement_id: UUID
) -> None:
    """Nobody reads it any more."""
    await posts.withdraw(tx, actor, cohort, announcement_id)


@router.get("/v1/cohorts/{cohort}/members/{user_id}/messages", summary="Messages to a learner")
async def list_sent(
    actor: Writer,
    tx: Transaction,
    cohort: CohortName,
    user_id: UUID,
    limit: Limit = 20,
    after: After = None,
) -> Page[schemas.MessageView]:
    """What teachers of a cohort that you teach wrote to one of its learners, newest first."""
    found = await posts.list_sent(tx, actor, cohort, user_id, _before(after), limit + 1)
    items, following = Cursor.page(found, limit, key=lambda row: (row.id,))
    return Page(items=[schemas.MessageView.model_validate(row) for row in items], next=following)


@router.post(
    "/v1/cohorts/{cohort}/members/{user_id}/messages",
    status_code=201,
    summary="Write to a learner",
)
async def write_message(
    actor: Writer,
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency()],
    cohort: CohortName,
    user_id: UUID,
    body: schemas.NewMessage,
) -> schemas.MessageView:
    """One member of a cohort that you teach can read it and is told so; that you wrote is audited."""
    row = await posts.write(tx, actor, cohort, user_id, body.model_dump())
    return await key.remember(tx, 201, schemas.MessageView.model_validate(row))


@router.get("/v1/messages", summary="Messages to you")
async def list_received(
    actor: Owner, tx: Transaction, limit: Limit = 20, after: After = None
) -> Page[schemas.MessageView]:
    """What teachers wrote to you, newest first."""
    found = await posts.list_received(tx, actor.user_id, _before(after), limit + 1)
    items, following = Cursor.page(found, limit, key=lambda row: (row.id,))
    return Page(items=[schemas.MessageView.model_validate(row) for row in items], next=following)


@router.post("/v1/messages/{message_id}/read", status_code=204, summary="Mark a message as read")
async def mark_read(actor: Owner, tx: Transaction, message_id: UUID) -> None:
    """The message is read; doing it again changes nothing."""
    await posts.mark_read(tx, actor.user_id, message_id)
