"""Named points after each side effect, at which a test can kill, fail or pause the process.

Without an armed fault a point costs one dictionary look-up. Faults are armed in process by tests, or for
a child process by ``KOURSE_FAULTS="relay.confirmed=kill"``, or, for the 17th time that it reaches any point
of the operator, ``KOURSE_FAULTS="operator.*=kill:17"``; ``stop`` instead of ``kill`` pauses it there.
"""

from __future__ import annotations

import fnmatch
import os
import signal
from collections.abc import Awaitable, Callable
from itertools import count

POINTS = (
    "relay.selected",
    "relay.sent",
    "relay.confirmed",
    "relay.marked",
    "hand-in.taken-over",
    "answer-file.taken-over",
    "attempt.ended",
    "attempt.sealed",
    "attempt.judged",
    "attempt.scored",
    "attempt.released",
    "judging.claimed",
    "judging.judged",
    "inbox.applied",
    "inbox.committed",
    "inbox.marked",
    "inbox.acknowledged",
    "inbox.parked",
    "work.handled",
    "dead-letter.settled",
    "sender.claimed",
    "sender.handed_over",
    "sender.settled",
    "digesting.told",
    "reminding.told",
    "reminding.committed",
    "operator.held",
    "operator.rows",
    "operator.bucket",
    "operator.wires",
    "operator.done",
    "operator.told",
    "operator.retired",
    "operator.cut",
    "operator.removed",
    "operator.released",
)
"""Every point there is; a name that is not here is a programming error."""

_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
Fault = Callable[[], Awaitable[None]]
_armed: dict[str, Fault] = {}


def _signal_at(time: int, number: signal.Signals) -> Fault:
    """Sends the process a signal when it is reached for that time, counted from 1."""
    times = count(1)

    async def fault() -> None:
        if next(times) == time:
            os.kill(os.getpid(), number)

    return fault


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


def arm_from_environment() -> None:
    """Arms what ``KOURSE_FAULTS`` says, as every process does when it begins."""
    for setting in filter(None, os.environ.get("KOURSE_FAULTS", "").split(",")):
        pattern, _, action = setting.partition("=")
        verb, _, time = action.partition(":")
        if verb in _SIGNALS:
            fault = _signal_at(int(time or 1), _SIGNALS[verb])
            for name in fnmatch.filter(POINTS, pattern) or [pattern]:
                arm(name, fault)


arm_from_environment()
