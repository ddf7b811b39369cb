"""All rules of the platform, and the same in a shorter time for tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hack.observability import slos, symptoms
from hack.observability.model import Alert, Recording, rule_file

_RANGE = re.compile(r"(?<=\[)\d+[smhd](?=\])|(?<=offset )\d+[smhd]")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LEAST_RANGE_S = 5
"""Seconds of the shortest window that is left when time is shortened: several scrapes fit into it."""


def groups() -> dict[str, list[Recording | Alert]]:
    """Rules by the name of their group; a group's rules are evaluated in order."""
    return {
        "kourse-objectives": [*slos.recordings(), *slos.alerts()],
        "kourse-services": [*symptoms.SERVICE_ALERTS],
        "kourse-events": [*symptoms.EVENT_ALERTS],
        "kourse-operator": [*symptoms.OPERATOR_ALERTS],
        "kourse-security": [*symptoms.SECURITY_ALERTS],
    }


def alerts() -> Iterator[Alert]:
    """Every alert."""
    for rules in groups().values():
        yield from (rule for rule in rules if isinstance(rule, Alert))


def document() -> dict[str, Any]:
    """The rule file."""
    return rule_file(groups())


def hastened(factor: float) -> dict[str, Any]:
    """The rule file with every window and every wait shorter by a factor; all else is the same."""

    def shorter(match: re.Match[str]) -> str:
        return f"{max(LEAST_RANGE_S, round(_seconds(match[0]) / factor))}s"

    made = document()
    for group in made["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            rule["expr"] = _RANGE.sub(shorter, rule["expr"])
            if "for" in rule:
                rule["for"] = f"{round(_seconds(rule['for']) / factor)}s"
    return made


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * _SECONDS[duration[-1]]
