"""Rules as data, and the form in which Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

RUNBOOKS = "docs/runbooks"
"""Where the pages are; the chart puts the address of a house's own copy in its place."""


class Severity(StrEnum):
    """Whether somebody is woken, or looks at it in working hours."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True)
class Recording:
    """A query whose answer is kept as a series of its own.

    Attributes:
        record: Name of the series: ``level:metric:operations``.
        expr: PromQL.
        labels: Added to the series.
    """

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    def rule(self) -> dict[str, Any]:
        """As in a rule file."""
        made: dict[str, Any] = {"record": self.record, "expr": self.expr}
        return made | ({"labels": dict(self.labels)} if self.labels else {})


@dataclass(frozen=True)
class Alert:
    """What a person is told.

    Attributes:
        name: Unique.
        condition: PromQL that has an answer while something is wrong.
        for_: How long it has to be so.
        severity: Whether it wakes somebody.
        summary: What is wrong, in a sentence; may hold ``{{ $labels.x }}``.
        description: What it means for people.
        runbook: Name of its page in docs/runbooks; its own name by default.
        labels: Added to the alert.
    """

    name: str
    condition: str
    for_: str
    severity: Severity
    summary: str
    description: str
    runbook: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def page(self) -> str:
        """Name of its runbook, without the suffix."""
        return self.runbook or self.name

    def rule(self) -> dict[str, Any]:
        """As in a rule file."""
        return {
            "alert": self.name,
            "expr": self.condition,
            "for": self.for_,
            "labels": {"severity": str(self.severity), **self.labels},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{RUNBOOKS}/{self.page}.md",
            },
        }


def rule_file(groups: Mapping[str, Iterable[Recording | Alert]]) -> dict[str, Any]:
    """A whole rule file as a document, its groups in this order."""
    return {
        "groups": [
            {"name": name, "rules": [one.rule() for one in rules]} for name, rules in groups.items()
        ]
    }
