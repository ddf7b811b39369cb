"""Replays events one after the other, and tells what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from time import monotonic, sleep
from typing import Any

from kourse.cli.event_calls import ABSENT, Aside, act
from kourse.cli.options import progress
from kourse.cli.session import Problem, Session

POLL_S = 1.0


class Became(StrEnum):
    """What became of an event that was to be replayed."""

    PLANNED = "planned"
    """A dry run: it would be taken again."""
    REPLAYED = "replayed"
    """It is taken again; nobody waited for its effect."""
    APPLIED = "applied"
    """It took effect, or had done so already."""
    REFUSED = "refused"
    FAILED = "failed"
    """It failed again."""
    PENDING = "pending"
    """It was neither taken nor failed in the time given."""


WRONG = frozenset({Became.REFUSED, Became.FAILED, Became.PENDING})


def replay(session: Session, chosen: Sequence[Aside], *, dry_run: bool) -> list[dict[str, Any]]:
    """Has each of them taken again; one that is refused stops no other.

    Returns:
        For each what the service answered, and ``became``.
    """
    found = []
    for number, one in enumerate(chosen, 1):
        progress(f"replaying {number} of {len(chosen)}: {one.service} {one.key}")
        found.append(_replay(session, one, dry_run=dry_run))
    return found


def _replay(session: Session, one: Aside, *, dry_run: bool) -> dict[str, Any]:
    try:
        answer = act(session, one, "replay", {"dryRun": dry_run})
    except Problem as problem:
        if problem.code == ABSENT:
            return _told(one, Became.APPLIED, "It stands aside no more.")
        return _told(one, Became.REFUSED, str(problem))
    return {**answer, "became": Became.PLANNED if dry_run else Became.REPLAYED}


def _told(one: Aside, became: Became, says: str) -> dict[str, Any]:
    told = {"service": one.service, "event": one.key, "done": False, "events": 0}
    return {**told, "says": says, "became": became}


def wait_for_effects(
    session: Session, replayed: Iterable[dict[str, Any]], seconds: float
) -> list[dict[str, Any]]:
    """The same, with what became of those that were replayed until ``seconds`` from now."""
    end = monotonic() + seconds
    return [
        one if one["became"] != Became.REPLAYED else _settled(session, one, end, seconds)
        for one in replayed
    ]


def _settled(session: Session, one: dict[str, Any], end: float, seconds: float) -> dict[str, Any]:
    service, event = one["service"], one["event"]
    path = Aside(service, event, dead=False).path
    while True:
        try:
            found = session.get(path)
        except Problem as problem:
            if problem.code != ABSENT:
                raise
            return {**one, "became": Became.APPLIED, "says": "It took effect."}
        if found["reason"] == "poison":
            says = f"It failed again: {found['error']}"
            return {**one, "became": Became.FAILED, "says": says}
        if monotonic() > end:
            says = f"It has not taken effect after {seconds:g} s; is {service} running?"
            return {**one, "became": Became.PENDING, "says": says}
        progress(f"waiting for {service} to take {event}")
        sleep(POLL_S)
