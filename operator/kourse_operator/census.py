"""How many objects are in which condition, counted when Prometheus asks.

Counted by kind, namespace, condition and status, never by name: names would make a series each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kourse_operator.engine.store import Store


class Census(Collector):
    """Collects the conditions of all objects in the store."""

    def __init__(self, store: Store) -> None:
        """Counts nothing yet."""
        self._store = store

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Objects by condition."""
        labels = ("kind", "namespace", "type", "status")
        made = GaugeMetricFamily(
            "kourse_operator_resource_condition", "Objects by condition.", labels=labels
        )
        for values, count in self._counted().items():
            made.add_metric(list(values), count)
        yield made

    def _counted(self) -> Counter[tuple[str, str, str, str]]:
        counted: Counter[tuple[str, str, str, str]] = Counter()
        for resource in self._store:
            key = resource.key
            for item in resource.status.get("conditions", ()):
                counted[key.kind, key.namespace, item["type"], item["status"]] += 1
        return counted
