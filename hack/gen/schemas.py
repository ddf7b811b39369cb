"""Golden JSON schemas of all events, one for each published version, which never go away."""

from __future__ import annotations

import json
from pathlib import Path

from hack.gen.outputs import ROOT, Files
from kourse.contracts import events

GOLDEN = ROOT / "tests" / "contract" / "golden" / "events"


def path_of(kind: events.EventType) -> Path:
    """Where the schema of a type's version is kept."""
    return GOLDEN / kind.name / f"{kind.version}.json"


def files() -> Files:
    """The schema of each type's present version."""
    return {
        path_of(kind): (json.dumps(events.json_schema(kind), indent=2) + "\n").encode()
        for kind in events.CATALOG.values()
    }
