"""``kourse status``: every object of a namespace at a glance, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import typer

from kourse.cli.kubectl import Kubectl, resource
from kourse.cli.options import Form, Namespace, Output, failing
from kourse.cli.options import Kubectl as KubectlOption
from kourse.contracts.resources import KINDS, PAUSED_ANNOTATION

SCHEMA = "kourse.dev/status/v1"
NOT_READY = 2
COUNTS = {
    "learners": "learners",
    "questions": "questions",
    "attempts": "attempts",
    "members": "members",
}


@dataclass(frozen=True)
class Row:
    """One object.

    Attributes:
        kind: Its kind.
        name: Its name.
        ready: The status of its condition Ready, for the generation that is declared.
        version: Version of its content, or None where there are none.
        counts: What it counts, as "12 learners".
        problem: What keeps it from being ready, or an empty text.
    """

    kind: str
    name: str
    ready: str
    version: int | None
    counts: str
    problem: str


def status(
    namespace: Namespace = "", kubectl: KubectlOption = "kubectl", output: Form = Output.TEXT
) -> None:
    """Show every object of a namespace: ready, version, people, and what is wrong."""
    with failing("status"):
        kinds = ",".join(resource(kind) for kind in KINDS)
        items = Kubectl(kubectl, namespace).read("get", kinds)["items"]
    rows = [row_of(item) for item in items]
    if output is Output.JSON:
        typer.echo(json.dumps({"schema": SCHEMA, "objects": [asdict(row) for row in rows]}))
    else:
        for line in table(rows):
            typer.echo(line)
    if any(row.ready != "True" for row in rows):
        raise typer.Exit(NOT_READY)


def row_of(item: Mapping[str, Any]) -> Row:
    """The row of an object of the Kubernetes API."""
    meta, said = item["metadata"], item.get("status") or {}
    ready = _condition(said, "Ready")
    current = ready.get("observedGeneration") == meta.get("generation")
    truth = str(ready.get("status", "Unknown")) if current else "Unknown"
    problem = (
        "" if truth == "True" else str(ready.get("message") or "The operator has not seen it.")
    )
    if not current and ready:
        problem = "The operator has not seen the last change."
    if (meta.get("annotations") or {}).get(PAUSED_ANNOTATION, "").lower() == "true":
        problem = f"Paused. {problem}".strip()
    counts = [
        f"{said[field]} {word}" for field, word in COUNTS.items() if said.get(field) is not None
    ]
    return Row(item["kind"], meta["name"], truth, said.get("version"), ", ".join(counts), problem)


def _condition(said: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    found = (one for one in said.get("conditions") or () if one.get("type") == kind)
    return next(found, {})


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows in columns, with a sum at the end."""
    head = ("OBJECT", "READY", "VERSION", "COUNTS", "PROBLEM")
    cells = [head] + [
        (
            f"{one.kind}/{one.name}",
            one.ready,
            str(one.version or "-"),
            one.counts or "-",
            one.problem,
        )
        for one in rows
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head) - 1)]
    for row in cells:
        columns = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        yield "  ".join([*columns, row[-1]]).rstrip()
    ready = sum(one.ready == "True" for one in rows)
    yield f"{ready} of {len(rows)} ready."
