"""An event on the wire: CloudEvents 1.0 in binary mode, attributes in AMQP headers, payload in the body.

Writing and reading are side by side, so that what the relay says is what every consumer understands.

Source:
    CloudEvents AMQP protocol binding 1.0, section 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import pydantic
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from kourse.contracts.events import CATALOG, Event
from kourse.kit.amqp.values import encoded_fields, integer_value, short, text_value

PREFIX = "cloudEvents:"
CONTENT_TYPE = "application/json"
_W3C = TraceContextTextMapPropagator()


class UndecodableError(Exception):
    """The message is no event of ours: it cannot even be parked, since its entity is unknown."""


class UnknownEventError(Exception):
    """The event is of a type, a version or a shape that this build does not know."""


@dataclass(frozen=True)
class Delivery:
    """Where an event comes from and where it stands in its sequence.

    Attributes:
        id: The event's id, the same in every redelivery and republication.
        tenant: Tenant it belongs to.
        type: Wire name from the catalog.
        version: Major version of the payload.
        stream: Stream of its sequence.
        entity: Id of the entity, the CloudEvents subject.
        seq: Place in the sequence of (tenant, stream, entity), from 1, without gaps.
        time: When the fact was written, by the producer's database; UTC.
        started_at: When the entity's sequence began, by the same clock.
        traceparent: W3C trace context of the producer, or None.
        headers: The message's headers, kept so that it can be parked and handled again.
    """

    id: UUID
    tenant: str
    type: str
    version: int
    stream: str
    entity: str
    seq: int
    time: datetime
    started_at: datetime
    traceparent: str | None = None
    headers: dict[str, Any] = field(default_factory=dict, repr=False)


def current_traceparent() -> str | None:
    """W3C trace context of the running span, or None outside of one."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")


def context_of(traceparent: str | None) -> Context:
    """The trace context to continue."""
    return _W3C.extract({"traceparent": traceparent} if traceparent else {})


class Outgoing(NamedTuple):
    """An outbox row as the relay reads it; ``payload`` is JSON text."""

    id: int
    event_id: UUID
    tenant: str
    stream: str
    entity: str
    seq: int
    started_at: datetime
    type: str
    version: int
    payload: str
    headers: dict[str, Any]
    routing_key: str
    part: int
    traceparent: str | None
    created_at: datetime


def headers_of(row: Outgoing) -> dict[str, Any]:
    """AMQP headers of an event: CloudEvents attributes, the row's own headers, trace context."""
    attributes = _constant_attributes(row.type, row.tenant, row.stream) | _own_attributes(row)
    named = {PREFIX + name: value for name, value in attributes.items()}
    return named | row.headers | _trace_headers(row.traceparent)


_ID, _SUBJECT, _TIME, _SEQUENCE, _SEQUENCE_START, _TRACE = (
    short(PREFIX + name)
    for name in ("id", "subject", "time", "sequence", "sequencestart", "traceparent")
)


def encoded_headers(row: Outgoing) -> bytes:
    """``headers_of``, encoded as the fields of an AMQP header table; the relay's hot path."""
    fields = [
        _encoded_constant_attributes(row.type, row.tenant, row.stream),
        _ID + text_value(str(row.event_id)),
        _SUBJECT + text_value(row.entity),
        _TIME + text_value(_rfc3339(row.created_at)),
        _SEQUENCE + integer_value(row.seq),
        _SEQUENCE_START + text_value(_rfc3339(row.started_at)),
    ]
    if row.traceparent:
        fields.append(_TRACE + text_value(row.traceparent))
    if rest := row.headers | _trace_headers(row.traceparent):
        fields.append(encoded_fields(rest))
    return b"".join(fields)


def _constant_attributes(type_: str, tenant: str, stream: str) -> dict[str, str]:
    attributes = {
        "specversion": "1.0",
        "type": type_,
        "source": f"/kourse/{type_.split('.', 1)[0]}",
        "tenant": tenant,
        "stream": stream,
    }
    if (kind := CATALOG.get(type_)) is not None:
        attributes["dataschema"] = kind.dataschema
    return attributes


@lru_cache(maxsize=4096)
def _encoded_constant_attributes(type_: str, tenant: str, stream: str) -> bytes:
    attributes = _constant_attributes(type_, tenant, stream)
    return encoded_fields({PREFIX + name: value for name, value in attributes.items()})


def _own_attributes(row: Outgoing) -> dict[str, Any]:
    attributes = {
        "id": str(row.event_id),
        "subject": row.entity,
        "time": _rfc3339(row.created_at),
        "sequence": row.seq,
        "sequencestart": _rfc3339(row.started_at),
    }
    if row.traceparent:
        attributes["traceparent"] = row.traceparent
    return attributes


def _trace_headers(traceparent: str | None) -> dict[str, str]:
    """The trace for readers that know nothing of CloudEvents: as W3C writes it, and as Zipkin does."""
    if not traceparent:
        return {}
    _version, trace, span, flags = traceparent.split("-")
    sampled = int(flags, 16) & 1
    return {"traceparent": traceparent, "b3": f"{trace}-{span}-{sampled}"}


def delivery_of(headers: Mapping[str, Any]) -> Delivery:
    """The envelope of a message.

    Raises:
        UndecodableError: An attribute is missing or malformed.
    """
    try:
        schema = str(headers[PREFIX + "dataschema"])
        return Delivery(
            id=UUID(headers[PREFIX + "id"]),
            tenant=_word(headers[PREFIX + "tenant"]),
            type=_word(headers[PREFIX + "type"]),
            version=int(schema.rpartition("/")[2]),
            stream=_word(headers[PREFIX + "stream"]),
            entity=_word(headers[PREFIX + "subject"]),
            seq=_positive(headers[PREFIX + "sequence"]),
            time=_moment(headers[PREFIX + "time"]),
            started_at=_moment(headers[PREFIX + "sequencestart"]),
            traceparent=headers.get("traceparent"),
            headers=dict(headers),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UndecodableError(f"{type(error).__name__}: {error}") from error


def event_of(delivery: Delivery, body: bytes | str) -> Event:
    """The payload as the catalog's class.

    Raises:
        UnknownEventError: Type, version or shape are not what this build's catalog says.
    """
    kind = CATALOG.get(delivery.type)
    if kind is None or not kind.knows(delivery.version):
        raise UnknownEventError(f"{delivery.type} version {delivery.version} is not in the catalog")
    try:
        event = kind.read(delivery.version, body)
    except pydantic.ValidationError as error:
        raise UnknownEventError(_places_of(error)) from None
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise UnknownEventError(f"version {delivery.version}: {type(error).__name__}") from None
    if event.entity != delivery.entity:
        raise UnknownEventError(f"the payload speaks of {event.entity}, the envelope does not")
    return event


def _places_of(error: pydantic.ValidationError) -> str:
    """Where and how the payload does not fit, without what it holds."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return ", ".join(
        f"{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in faults[:10]
    )


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def _word(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("a word is missing")
    return value


def _positive(value: object) -> int:
    number = int(str(value))
    if not 1 <= number < 2**63:
        raise ValueError("a sequence starts at 1")
    return number


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset")
    return moment.astimezone(UTC)
