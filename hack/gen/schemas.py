"""Golden schemas and specimen payloads of all events, for each published version, kept for ever.

A schema may only change in ways that no reader notices, and a specimen never does: it stands for what
lies in archives. Types that nobody emits yet are free to change.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hack.gen.compatibility import PLANNED, breaks
from hack.gen.outputs import ROOT, Files, RefusedError
from hack.gen.samples import payload
from kourse.contracts import events

GOLDEN = ROOT / "tests" / "contract" / "golden" / "events"


def files() -> Files:
    """Schema and specimens of each type's present version.

    Raises:
        RefusedError: A published schema would change in a way that needs another version.
    """
    made: dict[Path, bytes] = {}
    refusals: list[str] = []
    for kind in events.CATALOG.values():
        schema_file, specimens_file = _paths(kind)
        schema = events.json_schema(kind)
        made[schema_file], made[specimens_file] = _json(schema), _specimens(schema)
        if (old := _published(schema_file)) is not None:
            refusals += _refusals(kind, old, schema)
            if specimens_file.is_file():
                made[specimens_file] = specimens_file.read_bytes()
    if refusals:
        raise RefusedError("\n".join(refusals))
    return made


def stale() -> list[Path]:
    """Files of plans that were given up.

    Raises:
        RefusedError: A type that was published is no longer in the catalog.
    """
    gone = [folder for folder in GOLDEN.iterdir() if folder.name not in events.CATALOG]
    for folder in gone:
        if _published(folder / "1.json") is not None:
            raise RefusedError(f"{folder.name} was published: keep it in the catalog.")
    return [path for folder in gone for path in folder.iterdir()]


def _published(schema_file: Path) -> dict[str, Any] | None:
    """The schema that readers rely on; None where there is none, or only a plan."""
    if not schema_file.is_file():
        return None
    schema: dict[str, Any] = json.loads(schema_file.read_text())
    return None if schema.get(PLANNED) else schema


def _paths(kind: events.EventType) -> tuple[Path, Path]:
    folder = GOLDEN / kind.name
    return folder / f"{kind.version}.json", folder / f"{kind.version}.payloads.json"


def _refusals(kind: events.EventType, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [
        f"{kind.name} {found}; raise the version of {kind.model.__name__} to {kind.version + 1}, "
        "with an upgrade for what was published."
        for found in breaks(old, new)
    ]


def _specimens(schema: dict[str, Any]) -> bytes:
    return _json([payload(schema), payload(schema, whole=False)])


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
