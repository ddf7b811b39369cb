"""Background work that is begun anew when it crashes, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from kourse.kit.backoff import full_jitter
from kourse.kit.http.health import Health
from kourse.kit.telemetry import get_logger
from kourse.kit.telemetry.metrics import TASK_RESTARTS

STABLE_S = 10.0
"""Time without a crash after which a task counts as working again."""
BASE_S = 0.5
CAP_S = 30.0
log = get_logger(__name__)


async def supervise(
    name: str, act: Callable[[], Awaitable[None]], health: Health, service: str
) -> None:
    """Run ``act`` until it returns or is cancelled; after a crash again, with growing pauses.

    Args:
        name: How the task is called in health, logs and metrics.
        act: One life of the task.
        health: Where its state is reported.
        service: Label of the metric.
    """
    crashes = 0
    loop = asyncio.get_running_loop()
    health.report(name, works=True)
    while True:
        began = loop.time()
        recovered = loop.call_later(STABLE_S, partial(health.report, name, works=True))
        try:
            await act()
        except Exception as error:
            log.exception("task crashed", task=name)
            health.report(name, works=False, reason=type(error).__name__)
            TASK_RESTARTS.labels(service, name).inc()
        else:
            return
        finally:
            recovered.cancel()
        crashes = 1 if loop.time() - began > STABLE_S else crashes + 1
        await asyncio.sleep(full_jitter(crashes, base_s=BASE_S, cap_s=CAP_S))
