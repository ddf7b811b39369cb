"""A coroutine that holds up the event loop shows in the lag."""

import asyncio
import time

from prometheus_client import REGISTRY

from kourse.kit.telemetry import loop_lag
from support.waiting import until

HELD_UP_S = 0.12


def value(name, **labels):
    return REGISTRY.get_sample_value(f"kourse_event_loop_lag_seconds_{name}", labels) or 0.0


class TestLag:
    async def test_is_as_long_as_the_loop_was_held_up(self, monkeypatch):
        monkeypatch.setattr(loop_lag, "INTERVAL_S", 0.001)
        watching = asyncio.create_task(loop_lag.watch_loop("lag-test"))
        await until(lambda: value("count", service="lag-test"))

        time.sleep(HELD_UP_S)  # noqa: ASYNC251 -- this is what must not be done
        seen = value("count", service="lag-test")
        await until(lambda: value("count", service="lag-test") > seen)

        watching.cancel()
        assert value("sum", service="lag-test") > HELD_UP_S / 2
