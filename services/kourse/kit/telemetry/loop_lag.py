"""How late the event loop is: what one coroutine holds up, all others wait for."""

from __future__ import annotations

import asyncio

from prometheus_client import Histogram

INTERVAL_S = 0.5
"""Seconds between looks; two a second cost nothing that can be measured."""

LAG = Histogram(
    "kourse_event_loop_lag_seconds",
    "How much later than asked for the event loop came to a timer.",
    ("service",),
    buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)


async def watch_loop(service: str) -> None:
    """Observes the lag of the running loop until it is cancelled."""
    observe = LAG.labels(service).observe
    now = asyncio.get_running_loop().time
    while True:
        due = now() + INTERVAL_S
        await asyncio.sleep(INTERVAL_S)
        observe(max(0.0, now() - due))
