"""The feed, and whether mail is wanted."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow, public
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit
from kourse.kit.runtime import CurrentRuntime
from kourse.notification.api.positions import position
from kourse.notification.schemas import messages as schemas
from kourse.notification.service import reading, rendering

router = APIRouter()
Reader = Annotated[Actor, allow(Permission.NOTIFICATION_OWN)]
Tenant = Annotated[str, Path(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


@router.get("/v1/notifications", tags=["notifications"])
async def list_notifications(
    tx: Transaction, actor: Reader, limit: Limit = 20, after: After = None
) -> schemas.Feed:
    """The reader's own feed, newest first, with the number of unread entries."""
    entries = await reading.feed(tx, actor.user_id, after=position(after), limit=limit + 1)
    shown, following = Cursor.page(
        entries, limit, key=lambda entry: (entry.told.created_at, entry.told.id)
    )
    return schemas.Feed(
        items=[schemas.NotificationView.of(entry) for entry in shown],
        next=following,
        unread=await reading.count_unread(tx, actor.user_id),
    )


@router.post("/v1/notifications/{notification_id}/read", status_code=204, tags=["notifications"])
async def mark_notification_read(tx: Transaction, actor: Reader, notification_id: UUID) -> None:
    """The entry is read; doing it again changes nothing."""
    await reading.mark_read(tx, actor.user_id, notification_id)


@router.post("/v1/notifications/read", tags=["notifications"])
async def mark_all_notifications_read(
    tx: Transaction, actor: Reader, body: schemas.Seen
) -> schemas.Unread:
    """The newest entry that the reader saw is read, with all before it.

    What came up meanwhile, and they cannot have seen, stays unread.
    """
    return schemas.Unread(unread=await reading.mark_all_read(tx, actor.user_id, body.through))


@router.get("/v1/notifications/preferences", tags=["notifications"])
async def read_preferences(tx: Transaction, actor: Reader) -> schemas.Preferences:
    """What the reader wants to be told by which way, and when mail waits."""
    return schemas.Preferences.of(await reading.preferences_of(tx, actor.user_id))


@router.put("/v1/notifications/preferences", tags=["notifications"])
async def change_preferences(
    tx: Transaction, actor: Reader, body: schemas.Preferences
) -> schemas.Preferences:
    """The reader wants this, and what is left out as if they had never said anything.

    Security messages always go, at any hour.
    """
    wanted = body.wanted()
    await reading.put_preferences(tx, actor.user_id, wanted)
    return schemas.Preferences.of(wanted)


@router.get(
    "/v1/notifications/unsubscribe/{tenant}/{key}",
    dependencies=[public],
    response_class=HTMLResponse,
    tags=["notifications"],
)
async def show_unsubscribe(tenant: Tenant, key: UUID, lang: str = "en") -> HTMLResponse:
    """A page with the button that refuses mail; opening it changes nothing, as scanners open links."""
    del tenant, key
    return HTMLResponse(rendering.page("unsubscribe", lang))


@router.post(
    "/v1/notifications/unsubscribe/{tenant}/{key}",
    status_code=204,
    dependencies=[public],
    tags=["notifications"],
)
async def unsubscribe(runtime: CurrentRuntime, tenant: Tenant, key: UUID) -> None:
    """Whoever got this link by mail gets no more, without logging in (RFC 8058)."""
    async with runtime.database.transaction(tenant) as tx:
        await reading.unsubscribe(tx, key)
