"""Waiting between attempts: exponential, capped, with full jitter, and cut short by a stop."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress


def full_jitter(
    attempt: int,
    *,
    base_s: float = 0.1,
    cap_s: float = 30.0,
    draw: Callable[[], float] = random.random,
) -> float:
    """Seconds to wait after failed attempt number ``attempt`` (from 1): uniform in [0, min(cap, base·2^n)].

    Source:
        Brooker (2015), Exponential backoff and jitter, AWS Architecture Blog.
    """
    ceiling = min(cap_s, base_s * 2.0 ** min(attempt, 32))
    return draw() * ceiling


async def pause(stopping: asyncio.Event, seconds: float) -> bool:
    """Waits that long or until ``stopping`` is set; whether it was."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
    return stopping.is_set()
