"""The AsyncAPI 3.0 document of all events: what the platform sends, where, and in what form."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

import yaml

from hack.gen.messages import ATTRIBUTES, OTHER_HEADERS, example, reaches_feeds
from hack.gen.outputs import ROOT, Files
from kourse.contracts import events, names
from kourse.kit.delivery import CONTENT_TYPE, PREFIX

DOCUMENT = ROOT / "docs" / "asyncapi.yaml"
HEADER = "# Generated from the event catalog by hack/gen; docs/events.md is the same for people.\n"
_AMQP = "0.3.0"
_WORDS = {
    "tenant": "The tenant to which the event belongs.",
    "course": "Name of the course, or `_` where the event is of none or private.",
    "cohort": "Name of the cohort, `-` outside any cohort, or `_` for all of the course.",
    "partition": "`p00` to `p15`: CRC-32 of the subject, modulo 16.",
}


def files() -> Files:
    """The document."""
    text = yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=100)
    return {DOCUMENT: (HEADER + text).encode()}


def document() -> dict[str, Any]:
    """The document as plain values."""
    kinds = sorted(events.CATALOG.values(), key=lambda kind: kind.name)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "kourse events",
            "version": version("kourse"),
            "description": "Facts of the platform as CloudEvents 1.0, in binary mode over AMQP 0-9-1.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "broker": {
                "host": "rabbitmq:5672",
                "protocol": "amqp",
                "protocolVersion": "0-9-1",
                "description": "RabbitMQ 3.10 or newer, 4.x included.",
            }
        },
        "channels": {**{kind.name: _channel(kind) for kind in kinds}, "cohort": _feed(kinds)},
        "operations": {kind.name: _operation(kind) for kind in kinds},
        "components": {
            "schemas": _schemas(kinds),
            "messages": {kind.name: _message(kind) for kind in kinds},
            "messageTraits": {"cloudEvent": {"headers": _headers()}},
        },
    }


def _channel(kind: events.EventType) -> dict[str, Any]:
    exchange = {"name": names.EVENTS_EXCHANGE, "type": "topic", "durable": True}
    return {
        "address": ".".join([kind.name, *(f"{{{word}}}" for word in _WORDS)]),
        "parameters": {word: {"description": text} for word, text in _WORDS.items()},
        "messages": {"event": _reference("messages", kind.name)},
        "bindings": {
            "amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": _AMQP},
        },
    }


def _feed(kinds: list[events.EventType]) -> dict[str, Any]:
    address = names.cohort_queue("{tenant}", "{cohort}")
    return {
        "address": address,
        "description": "The feed of a cohort: its own events and those of all of its courses.",
        "parameters": {
            "tenant": {"description": "The tenant."},
            "cohort": {"description": "Name of the cohort."},
        },
        "messages": {
            kind.name: _reference("messages", kind.name) for kind in kinds if reaches_feeds(kind)
        },
        "bindings": {
            "amqp": {
                "is": "queue",
                "queue": {"name": address, "durable": True, "exclusive": False},
                "bindingVersion": _AMQP,
            },
        },
    }


def _operation(kind: events.EventType) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{kind.name}"},
        "summary": kind.model.__doc__,
        "tags": [{"name": kind.producer}],
        "messages": [{"$ref": f"#/channels/{kind.name}/messages/event"}],
        "bindings": {"amqp": {"deliveryMode": 2, "bindingVersion": _AMQP}},
    }


def _message(kind: events.EventType) -> dict[str, Any]:
    made = example(kind)
    return {
        "name": kind.name,
        "title": kind.model.__name__,
        "summary": kind.model.__doc__,
        "contentType": CONTENT_TYPE,
        "payload": _reference("schemas", kind.model.__name__),
        "examples": [{"headers": dict(made.headers), "payload": dict(made.body)}],
        "traits": [_reference("messageTraits", "cloudEvent")],
        "x-version": kind.version,
        "x-stream": kind.stream.value,
        "x-subject": kind.subject,
        "x-private": kind.private,
        "x-planned": kind.planned,
        "x-consumers": list(kind.consumers),
    }


def _headers() -> dict[str, Any]:
    attributes = {PREFIX + name: stated for name, stated in ATTRIBUTES.items()}
    return {
        "type": "object",
        "required": list(attributes),
        "properties": {
            name: {"type": type_, "description": text}
            for name, (type_, text) in {**attributes, **OTHER_HEADERS}.items()
        },
    }


def _schemas(kinds: list[events.EventType]) -> dict[str, Any]:
    """Payloads and what is in them, side by side, since references start at the document."""
    made: dict[str, Any] = {}
    for kind in kinds:
        schema = json.loads(
            json.dumps(kind.model.model_json_schema()).replace("#/$defs/", "#/components/schemas/")
        )
        made |= schema.pop("$defs", {})
        made[kind.model.__name__] = schema
    return dict(sorted(made.items()))


def _reference(section: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{section}/{name}"}
