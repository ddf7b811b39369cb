"""The routes of operations, the same in every service, below ``/v1/operations/<service>``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Invalid, NotFound
from kourse.contracts.permissions import Permission
from kourse.kit.audit.recording import record
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.inbox import rows
from kourse.kit.operations import dead_letters, parked, republishing, views
from kourse.kit.runtime import CurrentRuntime

Reader = Annotated[Actor, allow(Permission.EVENT_READ)]
Manager = Annotated[Actor, allow(Permission.EVENT_MANAGE)]
Operator = Annotated[Actor, allow(Permission.PLATFORM_OPERATE)]


def operations_router(service: str) -> APIRouter:
    """The routes about a service's events, as consumer and as producer."""
    router = APIRouter(prefix=f"/v1/operations/{service}", tags=["operations"])
    router.get("/events", summary="Events that stand aside")(list_events)
    router.get("/events/{event_id}", summary="One of them, whole")(show_event)
    router.post("/events/{event_id}/replay", summary="Take it again")(replay_event)
    router.post("/events/{event_id}/drop", summary="Give it up")(drop_event)
    router.post("/events/republish", summary="Publish archived events again")(republish_events)
    router.post("/events/epoch", summary="Forget what Redis remembers of events")(renew_epoch)
    router.get("/dead-letters", summary="Messages that could not be parked")(list_dead_letters)
    router.post("/dead-letters/{key}/replay", summary="Deliver one again")(replay_dead_letter)
    router.post("/dead-letters/{key}/drop", summary="Throw one away")(drop_dead_letter)
    return router


async def list_events(
    actor: Reader,  # noqa: ARG001 -- asks for the permission
    tx: Transaction,
    type: Annotated[str | None, Query(max_length=100)] = None,  # noqa: A002 -- its name in the query
    entity: Annotated[str | None, Query(max_length=100)] = None,
    reason: Annotated[str | None, Query(pattern="^(poison|blocked|gap)$")] = None,
    since: Annotated[datetime | None, Query(description="Parked at or after this moment.")] = None,
    limit: Limit = 20,
    after: After = None,
) -> Page[views.ParkedSummary]:
    """Your tenant's events that failed here or wait for others, oldest first."""
    key = Cursor.decode(after, 1)
    wanted = parked.Filter(type, entity, reason, since)
    found = await parked.search(tx, wanted, int(key[0]) if key else 0, limit + 1)
    shown, following = Cursor.page(found, limit, key=lambda row: (row.id,))
    items = [views.ParkedSummary.model_validate(row) for row in shown]
    return Page(items=items, next=following)


async def show_event(actor: Reader, tx: Transaction, event_id: UUID) -> views.ParkedEvent:  # noqa: ARG001
    """A parked event with its payload, its error and what waits behind it."""
    found = await parked.get(tx, event_id)
    return views.ParkedEvent.model_validate(
        {
            **found.row._mapping,  # noqa: SLF001 -- SQLAlchemy's name for it
            "missing": found.missing,
            "before": [views.Neighbour.model_validate(row) for row in found.before],
            "behind": [views.Neighbour.model_validate(row) for row in found.behind],
        }
    )


async def replay_event(
    actor: Manager, tx: Transaction, event_id: UUID, body: views.Act
) -> views.Outcome:
    """The consumer takes a failed event and those behind it again, in order, within some seconds."""
    found = await parked.get(tx, event_id, lock=True)
    await parked.replay(tx, found)
    affected = 1 + len(found.behind)
    await _record(tx, actor, "event.replay", event_id, events=affected)
    says = f"{found.row.type} number {found.row.seq} and {affected - 1} behind it are taken again."
    return await _outcome(tx, body, affected, says)


async def drop_event(
    actor: Manager, tx: Transaction, event_id: UUID, body: views.Drop
) -> views.Outcome:
    """A parked event never takes effect here; its entity goes on behind it."""
    found = await parked.get(tx, event_id, lock=True)
    await parked.drop(tx, found, accept_gap=body.accept_gap)
    row = found.row
    await _record(
        tx,
        actor,
        "event.drop",
        event_id,
        reason=body.reason,
        entity=row.entity,
        seq=row.seq,
        skipped_from=row.last_seq + 1,
    )
    skipped = max(row.seq - row.last_seq, 0)
    says = f"{row.type} number {row.seq} is dropped; {len(found.behind)} behind it go on."
    return await _outcome(tx, body, max(skipped, 1), says)


async def republish_events(
    actor: Manager, tx: Transaction, runtime: CurrentRuntime, body: views.Republication
) -> views.Republished:
    """Publishes a bounded batch of your tenant's archived events again; consumers drop what they know."""
    if body.since.tzinfo is None or (body.until is not None and body.until.tzinfo is None):
        raise Invalid("`since` and `until` need their offset from UTC, as in 2026-01-31T08:00:00Z.")
    wanted = republishing.Range(body.since, body.until, body.type, body.entity, body.consumer)
    if body.dry_run:
        count = await republishing.count(tx, wanted, body.after)
        says = f"{count} archived events would be published again."
        return views.Republished(done=False, events=count, says=says)
    batch = await republishing.batch(tx, wanted, body.after)
    following = batch[-1].id if len(batch) == republishing.BATCH else None
    if batch:
        target = body.consumer or "everybody"
        asked = body.model_dump(mode="json", exclude={"dry_run"}, exclude_none=True)
        await _record(tx, actor, "event.republish", target, events=len(batch), **asked)
        await republishing.publish(runtime.broker, batch, body.consumer)
    says = f"{len(batch)} archived events were published again."
    return views.Republished(done=True, events=len(batch), says=says, next=following)


async def renew_epoch(
    actor: Operator, tx: Transaction, runtime: CurrentRuntime, body: views.Act
) -> views.Outcome:
    """After the database was restored: what Redis remembers of events counts for nothing any more."""
    consumer = runtime.settings.service
    epoch = await rows.renew_epoch(tx, consumer)
    if epoch is None:
        raise NotFound(f"{consumer} never took an event.")
    await _record(tx, actor, "event.epoch", consumer, epoch=str(epoch))
    return await _outcome(tx, body, 0, f"{consumer} asks the database alone about earlier events.")


async def list_dead_letters(actor: Operator, runtime: CurrentRuntime) -> views.DeadLetters:  # noqa: ARG001
    """Messages that this service's consumer could not even park; looking changes nothing."""
    found = await dead_letters.look_through(runtime.broker, runtime.settings.service)
    return views.DeadLetters(items=[views.DeadLetterView.model_validate(one) for one in found])


async def replay_dead_letter(
    actor: Operator, tx: Transaction, runtime: CurrentRuntime, key: str, body: views.Act
) -> views.Outcome:
    """The consumer gets the message again, in its entity's queue."""
    consumer = runtime.settings.service
    if not body.dry_run:
        await _record(tx, actor, "dead-letter.replay", key, consumer=consumer)
        await dead_letters.replay(runtime.broker, consumer, key)
    return await _letter_outcome(runtime, body, key, "is delivered again")


async def drop_dead_letter(
    actor: Operator, tx: Transaction, runtime: CurrentRuntime, key: str, body: views.Drop
) -> views.Outcome:
    """The message is thrown away."""
    consumer = runtime.settings.service
    if not body.dry_run:
        await _record(tx, actor, "dead-letter.drop", key, consumer=consumer, reason=body.reason)
        await dead_letters.drop(runtime.broker, consumer, key)
    return await _letter_outcome(runtime, body, key, "is thrown away")


async def _record(
    tx: AsyncSession, actor: Actor, action: str, target: object, **detail: Any
) -> None:
    await record(tx, action, actor=actor.user_id, target=target, detail=detail)


async def _letter_outcome(
    runtime: CurrentRuntime, body: views.Act, key: str, done: str
) -> views.Outcome:
    if body.dry_run:
        consumer = runtime.settings.service
        found = await dead_letters.look_through(runtime.broker, consumer)
        if key not in {letter.key for letter in found}:
            raise NotFound(f"There is no dead letter {key} of {consumer}.")
        done = f"would be: it {done}"
    return views.Outcome(done=not body.dry_run, events=1, says=f"The dead letter {key} {done}.")


async def _outcome(tx: AsyncSession, body: views.Act, events: int, says: str) -> views.Outcome:
    """What was done; a dry run is undone, its audit entry too."""
    if body.dry_run:
        await tx.rollback()
        says = f"Not done, as asked: {says}"
    return views.Outcome(done=not body.dry_run, events=events, says=says)
