"""How many objects are in which condition, counted when Prometheus asks.

Counted by kind, namespace, condition and status, never by name: names would make a series each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kourse.contracts.errors import KourseError
from kourse.kit.clock import now
from kourse.rules.dates import instant_of, zone_of
from kourse_operator.engine.store import Store
from kourse_operator.resource import Resource

EXAM = "ExamConfig"
UTC = "UTC"
SOON = timedelta(hours=24)
"""Time before its opening from which on an exam that is not ready is a reason to act."""


class Census(Collector):
    """Collects the conditions of all objects in the store."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = now) -> None:
        """Counts nothing yet."""
        self._store = store
        self._clock = clock

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Objects by condition, and the exams that are late."""
        conditions: Counter[tuple[str, ...]] = Counter()
        late: Counter[str] = Counter()
        soon = self._clock() + SOON
        for resource in self._store:
            key, status = resource.key, resource.status
            for item in status.get("conditions", ()):
                conditions[key.kind, key.namespace, item["type"], item["status"]] += 1
            if key.kind == EXAM:
                late[key.namespace] += not _is_ready(status) and self._opens_by(resource, soon)
        yield _gauge(
            "kourse_operator_resource_condition",
            "Objects by condition.",
            ("kind", "namespace", "type", "status"),
            conditions,
        )
        yield _gauge(
            "kourse_operator_exams_late",
            "Exams that are open or open within 24 hours, and are not ready.",
            ("namespace",),
            {(namespace,): count for namespace, count in late.items()},
        )

    def _opens_by(self, exam: Resource, moment: datetime) -> bool:
        """Whether it opens by then on a day of its own; an exam that counts from a run's start has none."""
        dates = exam.spec.get("dates") or {}
        wall_clock = (dates.get("opens") or {}).get("at")
        if wall_clock is None:
            return False
        try:
            opens = instant_of(wall_clock, zone_of(self._zone_name(exam)))
        except (KourseError, ValueError):
            return True  # nobody knows when, and that it cannot be read is why it is not ready
        return opens <= moment

    def _zone_name(self, exam: Resource) -> str:
        tenant, _, _ = self._store.declared(exam.key)
        for course in self._store.named((tenant, "Course", exam.spec.get("courseRef", ""))):
            return str(course.spec.get("timeZone", UTC))
        return UTC


def _is_ready(status: Mapping[str, Any]) -> bool:
    return any(
        item["type"] == "Ready" and item["status"] == "True"
        for item in status.get("conditions", ())
    )


def _gauge(
    name: str, text: str, labels: tuple[str, ...], counted: Mapping[tuple[str, ...], int]
) -> GaugeMetricFamily:
    made = GaugeMetricFamily(name, text, labels=labels)
    for values, count in counted.items():
        made.add_metric(list(values), count)
    return made
