"""Waiting for what happens in another process."""

import time


def eventually(condition, seconds=120.0):
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
