"""Named points after each side effect, at which a test can kill, fail or pause the process.

Without an armed fault a point costs one dictionary look-up. Faults are armed in process by tests, or for
a child process by ``KOURSE_FAULTS="relay.confirmed=kill"``.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable

POINTS = (
    "relay.selected",
    "relay.sent",
    "relay.confirmed",
    "relay.marked",
    "inbox.applied",
    "inbox.committed",
    "inbox.marked",
    "inbox.acknowledged",
    "inbox.parked",
    "work.handled",
    "sender.claimed",
    "sender.handed_over",
    "sender.settled",
)
"""Every point there is; a name that is not here is a programming error."""

Fault = Callable[[], Awaitable[None]]
_armed: dict[str, Fault] = {}


async def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(name: str, fault: Fault) -> None:
    """From now on reaching the point runs ``fault``.

    Raises:
        LookupError: There is no such point.
    """
    if name not in POINTS:
        raise LookupError(f"there is no fault point {name!r}")
    _armed[name] = fault


def disarm() -> None:
    """No point does anything any more."""
    _armed.clear()


async def point(name: str) -> None:
    """Runs the fault armed for this point, if any."""
    if (fault := _armed.get(name)) is not None:
        await fault()


def _arm_from_environment() -> None:
    for setting in filter(None, os.environ.get("KOURSE_FAULTS", "").split(",")):
        name, _, action = setting.partition("=")
        if action == "kill":
            arm(name, _kill)


_arm_from_environment()
