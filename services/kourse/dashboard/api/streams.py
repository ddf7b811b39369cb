"""Live updates as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from kourse.contracts.errors import NotFound, Unavailable
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.meta import Name
from kourse.dashboard.service import marking, streaming
from kourse.dashboard.service.streaming import Changed, Part
from kourse.kit.auth import Actor, allow
from kourse.kit.auth.scope import cohorts_within
from kourse.kit.http.event_stream import EventStream, retry_line
from kourse.kit.http.middleware import EVENT_STREAM
from kourse.kit.http.routes import streams
from kourse.kit.runtime import CurrentRuntime
from kourse.kit.streaming import Beat, End, Reader

router = APIRouter(tags=["dashboard"])
EXAMPLE = 'event: changed\ndata: {"views": ["overview"]}\n\n'


@router.get(
    "/v1/dashboard/stream",
    summary="Live updates",
    dependencies=[streams],
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events until the token expires.",
            "content": {EVENT_STREAM: {"schema": {"type": "string"}, "example": EXAMPLE}},
        }
    },
)
async def stream_dashboard(
    request: Request,
    runtime: CurrentRuntime,
    actor: Annotated[Actor, allow(Permission.DASHBOARD_OWN)],
    course: Annotated[
        Name | None, Query(description="Also tell of this course, in which you may see learners.")
    ] = None,
    cohort: Annotated[
        Name | None, Query(description="Also tell of this cohort, whose learners you may see.")
    ] = None,
) -> EventStream:
    """Tells when views are to be read again: `overview`, and `course` or `cohort` where it was asked for.

    ``changed`` names them, at most twice a second, and ``end`` says why the stream ends. Comments keep it
    alive. While Redis is away nothing is told.
    """
    if runtime.health.draining.is_set():
        raise Unavailable("This replica is stopping.", retry_after_s=1)
    topics = _topics(actor, course, cohort)
    claims = request.state.claims

    async def check() -> None:
        await runtime.deny_list.check(claims)

    reader = Reader(actor.tenant, actor.user_id, claims.expires_at, check)

    async def tell(wake: asyncio.Event) -> AsyncIterator[bytes]:
        yield retry_line()
        async for part in streaming.follow(runtime, reader, wake, topics):
            yield _written(part)

    hub = streaming.hub_of(runtime)
    hub.admit(actor.tenant, actor.user_id)
    return EventStream(tell, hub.open(actor.tenant, actor.user_id, tuple(topics)))


def _topics(actor: Actor, course: str | None, cohort: str | None) -> dict[str, str]:
    """Views by the mark that they depend on, of what the person may see."""
    topics = {marking.of_learner(actor.user_id): "overview", marking.TENANT: "overview"}
    if course is not None:
        cohorts_within(actor, Permission.DASHBOARD_READ, course)
        topics[marking.of_course(course)] = "course"
    if cohort is not None:
        if not actor.holds(Permission.DASHBOARD_READ, cohort=cohort):
            raise NotFound(f"There is no cohort {cohort!r} for you here.")
        topics[marking.of_cohort(cohort)] = "cohort"
    return topics


def _written(part: Part) -> bytes:
    """The part in the format of event streams."""
    match part:
        case Changed(views):
            return b"event: changed\ndata: " + orjson.dumps({"views": views}) + b"\n\n"
        case End(reason):
            return b"event: end\ndata: " + orjson.dumps({"reason": reason}) + b"\n\n"
        case Beat():
            return b":\n\n"
