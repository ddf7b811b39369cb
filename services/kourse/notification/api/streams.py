"""The live feed as server-sent events.

Source:
    WHATWG HTML Living Standard, 9.2 Server-sent events.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse

from kourse.contracts.errors import Unavailable
from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow
from kourse.kit.http.event_stream import EventStream, retry_line
from kourse.kit.http.middleware import EVENT_STREAM
from kourse.kit.http.routes import streams
from kourse.kit.runtime import CurrentRuntime
from kourse.kit.streaming import Beat, End, Reader
from kourse.notification.schemas import messages as schemas
from kourse.notification.service import streaming
from kourse.notification.service.streaming import Count, Fresh, Part

MOST_POSITION = 2**63 - 1
EXAMPLE = (
    'id: 17\nevent: notification\ndata: {"id": "0198c5a4-0000-7000-8000-000000000001",'
    ' "type": "exam-graded", "title": "Your exam is graded"}\n\n'
    'event: unread\ndata: {"unread": 3}\n\n'
)
router = APIRouter()


@router.get(
    "/v1/notifications/stream",
    tags=["notifications"],
    dependencies=[streams],
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events until the token expires.",
            "content": {EVENT_STREAM: {"schema": {"type": "string"}, "example": EXAMPLE}},
        }
    },
)
async def stream_notifications(
    request: Request,
    runtime: CurrentRuntime,
    actor: Annotated[Actor, allow(Permission.NOTIFICATION_OWN)],
    last_event_id: Annotated[
        str | None,
        Header(
            pattern=r"^[0-9]{1,19}$",
            description="Id of the last event that was read; what came after it is told first.",
        ),
    ] = None,
) -> EventStream:
    """The reader's own feed as it grows, as server-sent events.

    ``notification`` brings a new entry, ``unread`` the number of unread ones when it has changed, also
    because they were read elsewhere, and ``end`` says why the stream ends. Comments keep it alive.
    """
    if runtime.health.draining.is_set():
        raise Unavailable("This replica is stopping.", retry_after_s=1)
    claims = request.state.claims

    async def check() -> None:
        await runtime.deny_list.check(claims)

    reader = Reader(actor.tenant, actor.user_id, claims.expires_at, check)
    position = None if last_event_id is None else min(int(last_event_id), MOST_POSITION)

    async def tell(wake: asyncio.Event) -> AsyncIterator[bytes]:
        yield retry_line()
        async for part in streaming.follow(runtime, reader, wake, position):
            yield _written(part)

    hub = streaming.hub_of(runtime)
    hub.admit(actor.tenant, actor.user_id)
    return EventStream(tell, hub.open(actor.tenant, actor.user_id, [actor.user_id]))


def _written(part: Part) -> bytes:
    """The part in the format of event streams; entries and counts say where to go on."""
    match part:
        case Fresh(position, entry):
            view = schemas.NotificationView.of(entry).model_dump_json(by_alias=True)
            return f"id: {position}\nevent: notification\ndata: {view}\n\n".encode()
        case Count(position, unread):
            view = schemas.Unread(unread=unread).model_dump_json(by_alias=True)
            return f"id: {position}\nevent: unread\ndata: {view}\n\n".encode()
        case End(reason):
            return b"event: end\ndata: " + orjson.dumps({"reason": reason}) + b"\n\n"
        case Beat():
            return b":\n\n"
