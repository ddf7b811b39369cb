"""An event on the wire: CloudEvents 1.0 in binary mode, attributes in AMQP headers, payload in the body.

Writing and reading are side by side, so that what the relay says is what every consumer understands.

Source:
    CloudEvents AMQP protocol binding 1.0, section 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import pydantic
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from kourse.contracts.events import CATALOG, Event
from kourse.kit.amqp.values import (
    encoded_fields,
    integer_at,
    integer_value,
    read_fields,
    short,
    text_at,
    text_value,
)

PREFIX = "cloudEvents:"
CONTENT_TYPE = "application/json"
_W3C = TraceContextTextMapPropagator()


class UndecodableError(Exception):
    """The message is no event of ours: it cannot even be parked, since its entity is unknown."""


class UnknownEventError(Exception):
    """The event is of a type, a version or a shape that this build does not know."""


class Delivery(NamedTuple):
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
        wire: The message's headers as they came, read or still encoded.
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
    wire: Mapping[str, Any] | bytes = b""

    @property
    def headers(self) -> dict[str, Any]:
        """The message's headers, with which it can be parked and handled again."""
        return read_fields(self.wire) if isinstance(self.wire, bytes) else dict(self.wire)


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
        _SEQUENCE_START + _encoded_start(row.started_at),
    ]
    if row.traceparent:
        fields.append(_TRACE + text_value(row.traceparent))
    if rest := row.headers | _trace_headers(row.traceparent):
        fields.append(encoded_fields(rest))
    return b"".join(fields)


@lru_cache(maxsize=4096)
def _encoded_start(moment: datetime) -> bytes:
    return text_value(_rfc3339(moment))


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
        return Delivery(
            UUID(headers[PREFIX + "id"]),
            *_constants_of(headers),
            _word(headers[PREFIX + "subject"]),
            _positive(headers[PREFIX + "sequence"]),
            _moment(str(headers[PREFIX + "time"])),
            _moment(str(headers[PREFIX + "sequencestart"])),
            headers.get("traceparent"),
            headers,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UndecodableError(f"{type(error).__name__}: {error}") from error


def delivery_in(fields: bytes) -> Delivery:
    """``delivery_of`` for encoded fields; the consumers' hot path.

    Fields that stand as ``encoded_headers`` puts them are read where they stand, others by their names.

    Raises:
        UndecodableError: An attribute is missing or malformed.
        MalformedError: They are no fields of a header table.
    """
    start = fields.find(_ID)
    try:
        id_, at = _text_after(_ID, fields, start)
        entity, at = _text_after(_SUBJECT, fields, at)
        time, at = _text_after(_TIME, fields, at)
        seq, at = integer_at(fields, _after(_SEQUENCE, fields, at))
        started_at, at = _text_after(_SEQUENCE_START, fields, at)
        trace = _text_after(_TRACE, fields, at)[0] if fields.startswith(_TRACE, at) else None
        constants = _constants_in(fields[:start])
        return Delivery(
            UUID(id_),
            *constants,
            _word(entity),
            _positive(seq),
            _moment(time),
            _start(started_at),
            trace,
            fields,
        )
    except (LookupError, ValueError):
        return delivery_of(read_fields(fields))


def _after(name: bytes, fields: bytes, at: int) -> int:
    if not fields.startswith(name, at):
        raise LookupError(name)
    return at + len(name)


def _text_after(name: bytes, fields: bytes, at: int) -> tuple[str, int]:
    return text_at(fields, _after(name, fields, at))


@lru_cache(maxsize=4096)
def _constants_in(fields: bytes) -> tuple[str, str, int, str]:
    return _constants_of(read_fields(fields))


def _constants_of(headers: Mapping[str, Any]) -> tuple[str, str, int, str]:
    """Tenant, type, version and stream."""
    schema = str(headers[PREFIX + "dataschema"])
    return (
        _word(headers[PREFIX + "tenant"]),
        _word(headers[PREFIX + "type"]),
        int(schema.rpartition("/")[2]),
        _word(headers[PREFIX + "stream"]),
    )


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
    text = moment.isoformat(timespec="microseconds")
    if not text.endswith("+00:00"):
        text = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return text[:-6] + "Z"


def _word(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("a word is missing")
    return value


def _positive(value: object) -> int:
    number = value if isinstance(value, int) else int(str(value))
    if not 1 <= number < 2**63:
        raise ValueError("a sequence starts at 1")
    return number


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset")
    return moment.astimezone(UTC)


_start = lru_cache(maxsize=4096)(_moment)
