"""Routes of a person's plans, their schedule, and the calendar that programs fetch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Response

from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow, public
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.idempotency import IdempotencyKey, idempotency
from kourse.kit.runtime import CurrentRuntime
from kourse.profile import schemas
from kourse.profile.api.versions import IfMatch, etag_of, version_of
from kourse.profile.domain.calendars import MEDIA_TYPE
from kourse.profile.service import dues, plans, schedule

router = APIRouter(tags=["schedule"])
Owner = Annotated[Actor, allow(Permission.PROFILE_OWN)]
_CALENDAR = {"schema": {"type": "string", "examples": ["BEGIN:VCALENDAR\r\nVERSION:2.0\r\n…"]}}
FRESH_S = 900
"""Seconds for which a calendar program need not ask again."""


@router.get("/v1/profile/plans", summary="Your plans")
async def list_plans(
    actor: Owner, tx: Transaction, limit: Limit = 20, after: After = None
) -> Page[schemas.PlanView]:
    """What you planned, oldest first."""
    found = await plans.list_own(tx, actor.user_id, _plan(after), limit + 1)
    items, following = Cursor.page(found, limit, key=lambda row: (row.id,))
    return Page(items=[schemas.PlanView.model_validate(row) for row in items], next=following)


def _plan(after: str | None) -> UUID | None:
    key = Cursor.decode(after, 1)
    try:
        return UUID(str(key[0])) if key else None
    except ValueError:
        raise Malformed("`after` is not a cursor of this list.") from None


@router.post("/v1/profile/plans", status_code=201, summary="Plan something")
async def add_plan(
    actor: Owner,
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency()],
    body: schemas.PlanBody,
    response: Response,
) -> schemas.PlanDetail:
    """The new plan, with a warning for times that the clocks jump over or show twice."""
    made = await plans.add(tx, actor.user_id, body.model_dump())
    return await key.remember(tx, 201, await _detail(tx, made, response))


@router.get("/v1/profile/plans/{plan_id}", summary="A plan of yours")
async def read_plan(
    actor: Owner, tx: Transaction, plan_id: UUID, response: Response
) -> schemas.PlanDetail:
    """The plan, when it takes place next, and warnings; its ETag guards changes."""
    return await _detail(tx, await plans.get(tx, actor.user_id, plan_id), response)


@router.put("/v1/profile/plans/{plan_id}", summary="Change a plan")
async def replace_plan(
    actor: Owner,
    tx: Transaction,
    plan_id: UUID,
    body: schemas.PlanBody,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.PlanDetail:
    """The plan is as sent; with If-Match only when nobody changed it since."""
    seen = version_of(if_match)
    values = body.model_dump()
    changed = await plans.replace(tx, actor.user_id, plan_id, values, seen_version=seen)
    return await _detail(tx, changed, response)


async def _detail(tx: Transaction, row: Any, response: Response) -> schemas.PlanDetail:
    response.headers["ETag"] = etag_of(row.version)
    upcoming = await schedule.next_of(tx, row)
    return schemas.PlanDetail(
        **schemas.PlanView.model_validate(row).model_dump(),
        next=schemas.OccurrenceView.model_validate(upcoming) if upcoming else None,
        warnings=await schedule.warnings(tx, row),
    )


@router.delete("/v1/profile/plans/{plan_id}", status_code=204, summary="Delete a plan")
async def delete_plan(actor: Owner, tx: Transaction, plan_id: UUID) -> None:
    """The plan is gone."""
    await plans.delete(tx, actor.user_id, plan_id)


@router.get("/v1/profile/schedule", summary="Your schedule")
async def read_schedule(
    actor: Owner,
    runtime: CurrentRuntime,
    since: Annotated[datetime | None, Query(description="From when on; now when left out.")] = None,
    days: Annotated[int, Query(ge=1, le=92, description="For how many days.")] = 14,
    limit: Limit = 50,
    after: After = None,
) -> Page[schemas.EntryView]:
    """Your plans, the meetings of your classes and what is due for you, by their start."""
    if since is not None and since.tzinfo is None:
        raise Malformed("`since` needs an offset, as in 2026-11-16T08:00:00Z.")
    due = await dues.list_due(runtime, actor.tenant, actor.user_id)
    async with runtime.database.transaction(actor.tenant) as tx:
        length = timedelta(days=days)
        found = await schedule.upcoming(tx, actor.user_id, since, length, due)
    passed = _position(after)
    entries = [one for one in found.entries() if passed is None or _key(one) > passed]
    items, following = Cursor.page(entries, limit, key=_key)
    return Page(items=[schemas.EntryView.model_validate(one) for one in items], next=following)


def _key(entry: schedule.Entry) -> tuple[str, str]:
    return (entry.starts_at.astimezone(UTC).isoformat(), entry.source)


def _position(after: str | None) -> tuple[str, str] | None:
    key = Cursor.decode(after, 2)
    return (str(key[0]), str(key[1])) if key else None


@router.get("/v1/profile/calendar-link", summary="Whether your calendar has a link")
async def read_link(actor: Owner, tx: Transaction) -> schemas.CalendarLinkView:
    """When the link was made; the link itself is not kept."""
    return schemas.CalendarLinkView.model_validate(await schedule.get_link(tx, actor.user_id))


@router.post("/v1/profile/calendar-link", status_code=201, summary="Make a link to your calendar")
async def make_link(
    runtime: CurrentRuntime, actor: Owner, tx: Transaction
) -> schemas.NewCalendarLink:
    """A link that calendar programs can subscribe to; the one before opens nothing any more.

    It takes no idempotency key, as an answer that is kept would keep the secret: asking again makes
    another link.
    """
    key, row = await schedule.make_link(tx, actor.user_id)
    base = runtime.settings.public_url.rstrip("/")
    url = f"{base}/v1/calendars/{actor.tenant}/{key}"
    return schemas.NewCalendarLink(url=url, made_at=row.made_at)


@router.delete("/v1/profile/calendar-link", status_code=204, summary="Revoke your calendar's link")
async def revoke_link(actor: Owner, tx: Transaction) -> None:
    """The link opens nothing any more."""
    await schedule.revoke_link(tx, actor.user_id)


@router.get(
    "/v1/calendars/{tenant}/{key}",
    summary="A calendar",
    dependencies=[public],
    response_class=Response,
    responses={
        200: {"content": {"text/calendar": _CALENDAR}},
        304: {"description": "It is as you have it."},
    },
)
async def read_calendar(
    runtime: CurrentRuntime,
    tenant: Annotated[str, Path(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")],
    key: Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")],
    if_none_match: Annotated[
        str | None, Header(description="ETag of what you have.", examples=['"5f2b…"'])
    ] = None,
) -> Response:
    """The schedule of whoever made the link, as iCalendar: from a month ago for half a year on."""
    async with runtime.database.transaction(tenant) as tx:
        owner = await schedule.owner_of(tx, key)
    due = await dues.list_due(runtime, tenant, owner)
    async with runtime.database.transaction(tenant) as tx:
        found = await schedule.published(tx, owner, due)
    etag = f'"{found.digest()}"'
    headers = {"ETag": etag, "Cache-Control": f"private, max-age={FRESH_S}"}
    offered = {one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")}
    if offered & {etag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(schedule.written(found), media_type=MEDIA_TYPE, headers=headers)
