"""A pool of database connections that tells how full it is and how long callers wait for it."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

ACQUIRED = Histogram(
    "kourse_db_pool_acquire_seconds",
    "Time until a caller had a connection: it waited for a free one, or one was made.",
    ("pool",),
    buckets=(0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
TIMEOUTS = Counter(
    "kourse_db_pool_timeouts_total", "Callers that gave up waiting for a connection.", ("pool",)
)


class MeasuredPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's own pool, measured; its logging name is its name in the metrics."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.name = str(self._orig_logging_name or "unnamed")
        self._observe = ACQUIRED.labels(self.name).observe
        TIMEOUTS.labels(self.name)
        _pools.add(self)

    def _do_get(self) -> ConnectionPoolEntry:
        started = time.perf_counter()
        try:
            return super()._do_get()
        except PoolTimeoutError:
            TIMEOUTS.labels(self.name).inc()
            raise
        finally:
            self._observe(time.perf_counter() - started)


class _Census(Collector):
    """Counts places when Prometheus asks; pools of one name count together."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        most, used = Tally[str](), Tally[str]()
        for pool in list(_pools):
            most[pool.name] += pool.size()
            used[pool.name] += pool.checkedout()
        for name, text, counted in (
            ("kourse_db_pool_connections", "Connections that the pool may hold.", most),
            ("kourse_db_pool_connections_in_use", "Connections of the pool in use.", used),
        ):
            family = GaugeMetricFamily(name, text, labels=("pool",))
            for pool_name, count in counted.items():
                family.add_metric([pool_name], count)
            yield family


_pools: WeakSet[MeasuredPool] = WeakSet()
REGISTRY.register(_Census())
