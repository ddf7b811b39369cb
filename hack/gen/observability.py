"""What Prometheus and Grafana read, from ``hack.observability``: the chart ships it, the local stack uses it."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from hack.gen.outputs import ROOT
from hack.observability import rules
from hack.observability.boards import BOARDS
from hack.observability.dashboards import rendered

FILES = ROOT / "charts" / "kourse" / "files"
RULES = FILES / "rules.yaml"
DASHBOARDS = FILES / "dashboards"
_HEADER = "# Written by `python -m hack.gen observability` from hack/observability.\n"


def files() -> dict[Path, bytes]:
    """The rule file and one file for each dashboard."""
    text = yaml.safe_dump(rules.document(), sort_keys=False, width=1000, allow_unicode=True)
    made = {RULES: (_HEADER + text).encode()}
    for one in BOARDS:
        body = json.dumps(rendered(one), indent=1, ensure_ascii=False) + "\n"
        made[DASHBOARDS / f"{one.uid}.json"] = body.encode()
    return made


def stale() -> list[Path]:
    """Dashboards that are no more."""
    wanted = {f"{one.uid}.json" for one in BOARDS}
    return [path for path in DASHBOARDS.glob("*.json") if path.name not in wanted]
