"""Requests about events that stand aside, to the operations routes of every service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import sleep
from typing import Any
from urllib.parse import urlencode

from kourse.cli.options import progress
from kourse.cli.session import CommandError, Problem, Session
from kourse.contracts.names import SERVICES

PAGE = 100
"""Events in one answer."""
ABSENT = "not-found"


@dataclass(frozen=True)
class Aside:
    """Something that stands aside: a parked event, or a dead letter.

    Attributes:
        service: Whose consumer set it aside.
        key: Id of the event; a dead letter that names none has another key.
        dead: Whether it is a dead letter.
    """

    service: str
    key: str
    dead: bool

    @property
    def path(self) -> str:
        """Its address at the gateway."""
        return path_of(self.service, "dead-letters" if self.dead else "events", self.key)


def services_of(only: Sequence[str] | None) -> list[str]:
    """The services named, or all of them.

    Raises:
        CommandError: There is no such service.
    """
    if unknown := set(only or ()) - set(SERVICES):
        raise CommandError(
            f"There is no service {min(unknown)!r}; there are {', '.join(SERVICES)}."
        )
    return list(only or SERVICES)


def path_of(service: str, *parts: str) -> str:
    """Address of something below a service's operations."""
    return "/".join(("/v1/operations", service, *parts))


def parked(
    session: Session, service: str, wanted: Mapping[str, Any], limit: int | None = None
) -> list[dict[str, Any]]:
    """A service's parked events, oldest first.

    Args:
        session: Of somebody who may see them.
        service: Whose.
        wanted: Filters of the route; those that are None do not count.
        limit: Most of them; None for all.
    """
    rows: list[dict[str, Any]] = []
    following = None
    while limit is None or len(rows) < limit:
        most = PAGE if limit is None else min(limit - len(rows), PAGE)
        asked = {**wanted, "limit": most, "after": following}
        given = {name: value for name, value in asked.items() if value is not None}
        page = session.get(f"{path_of(service, 'events')}?{urlencode(given)}")
        rows += ({"service": service, **row} for row in page["items"])
        following = page["next"]
        if following is None:
            break
    return rows


def dead_letters(session: Session, service: str, type_: str | None = None) -> list[dict[str, Any]]:
    """A service's dead letters, of one type only if it is given."""
    found = session.get(path_of(service, "dead-letters"))["items"]
    return [{"service": service, **row} for row in found if type_ in {None, row["type"]}]


def find(session: Session, key: str, only: Sequence[str] | None, *, dead: bool) -> dict[str, Any]:
    """What stands aside under this id, whole, with its ``service``.

    Raises:
        CommandError: Nothing does.
    """
    for service in services_of(only):
        if (found := _found(session, Aside(service, key, dead))) is not None:
            return found
    if dead:
        raise CommandError(f"There is no dead letter {key}.")
    raise CommandError(f"The event {key} is parked nowhere; perhaps it took effect meanwhile.")


def _found(session: Session, one: Aside) -> dict[str, Any] | None:
    if one.dead:
        letters = dead_letters(session, one.service)
        return next((letter for letter in letters if letter["key"] == one.key), None)
    try:
        return {"service": one.service, **session.get(one.path)}
    except Problem as problem:
        if problem.code != ABSENT:
            raise
    return None


def locate(session: Session, key: str, only: Sequence[str] | None, *, dead: bool) -> Aside:
    """As ``find``, and where it is only."""
    return Aside(find(session, key, only, dead=dead)["service"], key, dead)


def act(session: Session, one: Aside, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What the service says to ``replay`` or ``drop``.

    Raises:
        Problem: It refuses.
    """
    outcome: dict[str, Any] = session.post(f"{one.path}/{verb}", dict(body))
    return {"service": one.service, "event": one.key, **outcome}


def republish(
    session: Session, service: str, body: Mapping[str, Any], rate: float, *, dry_run: bool
) -> dict[str, Any]:
    """Publishes a service's archived events again, at most ``rate`` a second; what became of it."""
    path = path_of(service, "events", "republish")
    planned = session.post(path, {**body, "dryRun": True})
    if not dry_run:
        sent = 0
        for done in _batches(session, path, body) if planned["events"] else ():
            sent += done
            progress(f"{service}: {sent} of {planned['events']}")
            sleep(done / rate)
        says = f"{sent} archived events were published again."
        planned = {"done": True, "events": sent, "says": says}
    return {"service": service} | {name: planned[name] for name in ("done", "events", "says")}


def _batches(session: Session, path: str, body: Mapping[str, Any]) -> Iterator[int]:
    after: int | None = 0
    while after is not None:
        done = session.post(path, {**body, "after": after})
        after = done["next"]
        yield done["events"]
