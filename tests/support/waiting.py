"""Waiting for what happens in another task or in another process."""

import asyncio
import time

LONG_S = 300.0
"""How long a slow machine may take; whoever gets what they wait for waits no longer than it takes."""


def eventually(condition, seconds=LONG_S):
    """Return the first true answer of a condition.

    Raises:
        AssertionError: There was none in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {condition}")


async def until(condition, seconds=LONG_S):
    """Waits until the condition, plain or async, is true.

    Raises:
        TimeoutError: It is not in time.
    """
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer:
                return answer
            await asyncio.sleep(0.02)
