"""``docs/events.md``: how to join the events, and every event with its fields and an example."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hack.gen.messages import ATTRIBUTES, OTHER_HEADERS, example, reaches_feeds
from hack.gen.outputs import ROOT, Files
from hack.gen.samples import Schema, resolved
from kourse.contracts import events, names
from kourse.kit.delivery import PREFIX

PAGE = ROOT / "docs" / "events.md"
GUIDE = Path(__file__).with_name("event_guide.md")


def files() -> Files:
    """The page."""
    kinds = sorted(events.CATALOG.values(), key=lambda kind: kind.name)
    words = {
        "prefix": PREFIX,
        "attributes": _attributes(),
        "exchange": names.EVENTS_EXCHANGE,
        "cohort_queue": names.cohort_queue("<tenant>", "<cohort>"),
        "binding": names.type_binding("<type>"),
        "table": "\n".join(_table(kinds)),
    }
    guide = GUIDE.read_text()
    for word, text in words.items():
        guide = guide.replace(f"{{{word}}}", text)
    return {PAGE: "\n".join([guide, *map(_section, kinds)]).encode()}


def _attributes() -> str:
    rows = [(PREFIX + name, *stated) for name, stated in ATTRIBUTES.items()]
    rows += [(name, *stated) for name, stated in OTHER_HEADERS.items()]
    lines = [f"| `{name}` | {type_} | {text} |" for name, type_, text in rows]
    return "\n".join(["| header | type | meaning |", "|---|---|---|", *lines])


def _table(kinds: list[events.EventType]) -> Iterator[str]:
    yield "| type | when | stream | consumers | feeds |"
    yield "|---|---|---|---|---|"
    for kind in kinds:
        anchor = kind.name.replace(".", "")
        mark = " *(planned)*" if kind.planned else ""
        yield (
            f"| [{kind.name}](#{anchor}){mark} | {kind.model.__doc__} | {kind.stream.value} "
            f"| {', '.join(kind.consumers)} | {'yes' if reaches_feeds(kind) else ''} |"
        )


def _section(kind: events.EventType) -> str:
    schema = events.json_schema(kind)
    made = example(kind)
    parts = [
        f"### {kind.name}",
        f"{kind.model.__doc__}" + (" *Planned: nobody emits it yet.*" if kind.planned else ""),
        _facts(kind),
        _fields(schema, schema),
        *(
            f"`{name}`: {model['description']}\n\n{_fields(model, schema)}"
            for name, model in schema.get("$defs", {}).items()
        ),
        f"<details><summary>Example, routing key <code>{made.routing_key}</code></summary>",
        _json(dict(made.headers)),
        _json(dict(made.body)),
        "</details>",
    ]
    return "\n\n".join(parts) + "\n"


def _facts(kind: events.EventType) -> str:
    takers = ", ".join(kind.consumers) or "none in the platform yet"
    feeds = "reaches the feeds of cohorts" if reaches_feeds(kind) else "never reaches a feed"
    return (
        f"Version {kind.version}. From {kind.producer}, to {takers}; {feeds}. Counted and in order for "
        f"each `{kind.subject}`, in the stream `{kind.stream.value}`. "
        f"Binding: `{names.type_binding(kind.name)}`."
    )


def _fields(model: Schema, schema: Schema) -> str:
    needed = model.get("required", ())
    lines = []
    for name, node in model["properties"].items():
        flat, nullable = resolved(node, schema.get("$defs", {}))
        always = "yes" if name in needed else f"else `{json.dumps(flat.get('default'))}`"
        personal = " **Personal.**" if flat.get("pii") else ""
        type_ = _type(node, schema) + (" or null" if nullable else "")
        lines.append(f"| `{name}` | {type_} | {always} | {flat['description']}{personal} |")
    return "\n".join(["| field | type | always there | meaning |", "|---|---|---|---|", *lines])


def _type(node: Schema, schema: Schema) -> str:
    for choice in [node, *node.get("anyOf", ())]:
        if "$ref" in choice:
            return f"`{choice['$ref'].removeprefix('#/$defs/')}`"
    flat, _ = resolved(node, schema.get("$defs", {}))
    match flat["type"]:
        case "array":
            return f"list of {_type(flat['items'], schema)}"
        case "object":
            return f"map to {_type(flat['additionalProperties'], schema)}"
        case kind:
            return str(flat.get("format", kind))


def _json(value: Any) -> str:
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```"
