"""Golden JSON schemas of all events, against which readers and the catalog are checked."""

from __future__ import annotations

import json
from pathlib import Path

from hack.gen.outputs import ROOT, Files
from kourse.contracts import events

GOLDEN = ROOT / "tests" / "contract" / "golden" / "events"


def files() -> Files:
    """One schema for each type of the catalog."""
    return {
        GOLDEN / f"{kind.name}.json": (
            json.dumps(events.json_schema(kind), indent=2) + "\n"
        ).encode()
        for kind in events.CATALOG.values()
    }


def stale() -> list[Path]:
    """Schemas of types that are gone."""
    return sorted(path for path in GOLDEN.glob("*.json") if path.stem not in events.CATALOG)
