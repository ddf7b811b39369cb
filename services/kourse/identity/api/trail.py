"""Routes by which administrators look into their tenant's audit trail and take it away."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from kourse.contracts.errors import Invalid, Malformed
from kourse.contracts.permissions import Permission
from kourse.identity.api.shared import CurrentHouse
from kourse.identity.schemas.trail import AuditEntry, Form, TrailHead
from kourse.identity.service import trail, writing
from kourse.identity.service.trail import Filter
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.spreadsheets import MEDIA_TYPE, in_pieces

router = APIRouter(prefix="/v1/audit", tags=["audit"])
Auditor = Annotated[Actor, allow(Permission.AUDIT_READ)]
_MEDIA = {Form.NDJSON: "application/x-ndjson", Form.CSV: MEDIA_TYPE}
_NO_MAIL = r"^[^@]*$"
"""What is asked for is recorded, so it must not name a person."""
_WRITTEN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The entries, oldest first.",
        "content": {
            "application/x-ndjson": {"schema": {"$ref": "#/components/schemas/AuditEntry"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


async def _filter(
    actor: Annotated[
        str | None, Query(max_length=100, pattern=_NO_MAIL, description="Id of who acted.")
    ] = None,
    action: Annotated[
        str | None,
        Query(
            max_length=100,
            description="Name of the act, or with `*` at the end how it begins.",
            examples=["auth.*"],
        ),
    ] = None,
    target: Annotated[
        str | None,
        Query(max_length=200, pattern=_NO_MAIL, description="Id of what it was done to."),
    ] = None,
    outcome: Annotated[str | None, Query(pattern="^(done|refused)$")] = None,
    source: Annotated[
        str | None, Query(max_length=32, description="Service that told of it.")
    ] = None,
    since: Annotated[datetime | None, Query(description="Done at or after this moment.")] = None,
    until: Annotated[datetime | None, Query(description="Done before this moment.")] = None,
) -> Filter:
    if any(moment is not None and moment.tzinfo is None for moment in (since, until)):
        raise Invalid("`since` and `until` need their offset from UTC, as in 2026-01-31T08:00:00Z.")
    return Filter(actor, action, target, outcome, source, since, until)


Wanted = Annotated[Filter, Depends(_filter)]


@router.get("/entries")
async def list_audit_entries(
    tx: Transaction, actor: Auditor, wanted: Wanted, limit: Limit = 20, after: After = None
) -> Page[AuditEntry]:
    """Your tenant's audit trail, newest first; looking into it is recorded in it."""
    before = _number(after)
    found = await trail.search(tx, actor, wanted, before=before, limit=limit + 1)
    shown, following = Cursor.page(found, limit, key=lambda entry: (entry["seq"],))
    return Page(items=[AuditEntry.model_validate(one) for one in shown], next=following)


@router.get("/head")
async def show_audit_head(tx: Transaction, actor: Auditor) -> TrailHead:  # noqa: ARG001 -- asks for the permission
    """Where your tenant's audit trail ends now."""
    return TrailHead.model_validate(await trail.head(tx))


@router.get("/export", response_class=StreamingResponse, responses=_WRITTEN)
async def export_audit_trail(
    house: CurrentHouse,
    actor: Auditor,
    wanted: Wanted,
    form: Annotated[Form, Query(alias="format")] = Form.NDJSON,
    after: Annotated[int, Query(ge=0, description="Only entries with higher numbers.")] = 0,
) -> StreamingResponse:
    """Your tenant's audit trail, oldest first, as a stream; taking it away is recorded in it.

    Without filters the entries are a chain that anybody can verify: `kourse audit verify FILE`. After
    an interruption go on with `after` and the last number that came whole.
    """
    end = await trail.begin_export(house.database, actor, wanted, after)
    entries = trail.export(house.database, actor.tenant, wanted, after=after, until=end.seq)
    written = in_pieces(writing.as_csv(entries) if form is Form.CSV else writing.as_ndjson(entries))
    name = f"audit-{actor.tenant}.{form.value}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(written, media_type=_MEDIA[form], headers=headers)


def _number(cursor: str | None) -> int | None:
    key = Cursor.decode(cursor, 1)
    if key is not None and not isinstance(key[0], int):
        raise Malformed("`after` is not a cursor of this list.")
    return None if key is None else key[0]
