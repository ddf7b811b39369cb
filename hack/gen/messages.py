"""Example messages of the catalog, made by the code that writes real ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

from hack.gen.samples import payload
from kourse.contracts import events, names
from kourse.kit.delivery import Outgoing, headers_of

TENANT = "demo"
ATTRIBUTES: Mapping[str, tuple[str, str]] = {
    "specversion": ("string", "Version of CloudEvents, `1.0`."),
    "id": ("string", "The event's id (UUID), the same in every redelivery and republication."),
    "type": ("string", "Wire name of the event's type."),
    "source": ("string", "`/kourse/` and the service that produced it."),
    "subject": ("string", "Id of the entity whose sequence the event belongs to."),
    "time": ("string", "When the fact was written (RFC 3339, UTC), by the producer's database."),
    "dataschema": (
        "string",
        "Identifier of the payload's schema; its last segment is the version.",
    ),
    "tenant": ("string", "The tenant to which it belongs."),
    "stream": ("string", "Name of the stream."),
    "sequence": ("integer", "Place in the sequence of (tenant, stream, subject), from 1, no gaps."),
    "sequencestart": ("string", "When that sequence began (RFC 3339, UTC), by the same clock."),
}
"""CloudEvents attributes of every message: JSON type and meaning."""
OTHER_HEADERS: Mapping[str, tuple[str, str]] = {
    "exam": ("string", "Id of the exam, where the event is about one; graders bind by it."),
    "traceparent": ("string", "W3C trace context of the producer, where it was traced."),
}
"""Headers that some messages have besides; the trace context is also there as an attribute."""

_MOMENT = datetime(2026, 9, 14, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Message:
    """A message as a consumer gets it."""

    routing_key: str
    headers: Mapping[str, Any]
    body: Mapping[str, Any]


def example(kind: events.EventType) -> Message:
    """A message of this type, the same each time."""
    body = payload(events.json_schema(kind))
    event = kind.model.model_validate(body)
    exam = getattr(event, "exam_id", None)
    row = Outgoing(
        id=1,
        event_id=uuid5(names.NAMESPACE, f"example/{kind.name}"),
        tenant=TENANT,
        stream=kind.stream.value,
        entity=event.entity,
        seq=7,
        started_at=_MOMENT,
        type=kind.name,
        version=kind.version,
        payload="",
        headers={} if exam is None else {"exam": str(exam)},
        routing_key=event.routing_key(TENANT),
        part=names.partition(event.entity),
        traceparent=None,
        created_at=_MOMENT,
    )
    return Message(row.routing_key, headers_of(row), body)


def reaches_feeds(kind: events.EventType) -> bool:
    """Whether outside feeds can get it: it is of a course, and not private."""
    return f".{TENANT}.{names.NOBODY}." not in example(kind).routing_key
