"""Hints that somebody's feed has changed, for whichever replica they listen at; sent after the commit.

Only hints: a listener that misses one looks by itself within a heartbeat. They are sent together, at most
every few milliseconds, so that a busy consumer does not notify for each event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Unavailable
from kourse.kit.db import Database, after_commit

CHANNEL = "kourse_feed"
"""Notification channel; the payload is a tenant and the ids of its people, or ``*`` for all of them."""
EVERYBODY = "*"
PAUSE_S = 0.03
"""Least time between two hints of a process."""
MOST_NAMED = 100
"""People that one hint names; a payload of PostgreSQL has at most 8000 bytes."""
_TOUCHED = "touched_feeds"

_senders: WeakKeyDictionary[Database, _Sender] = WeakKeyDictionary()


@dataclass
class Touched:
    """Whose feeds have changed in one tenant.

    Attributes:
        people: Their ids.
        everybody: Whether it may be anybody in the tenant.
    """

    people: set[UUID] = field(default_factory=set)
    everybody: bool = False

    def payloads(self, tenant: str) -> Iterator[str]:
        """What is sent, as short as it can be."""
        if self.everybody or len(self.people) > MOST_NAMED:
            yield f"{tenant} {EVERYBODY}"
        elif self.people:
            yield f"{tenant} {','.join(sorted(map(str, self.people)))}"


def touch(tx: AsyncSession, people: Collection[UUID]) -> None:
    """Once this transaction is committed, the streams of these people look at their feeds."""
    _touched(tx).people.update(people)


def touch_everybody(tx: AsyncSession) -> None:
    """Once this transaction is committed, every stream of its tenant looks at its feed."""
    _touched(tx).everybody = True


def parse(payload: str) -> tuple[str, frozenset[UUID] | None]:
    """Tenant and people of a hint; None for everybody.

    Raises:
        ValueError: It is no hint.
    """
    tenant, _, named = payload.partition(" ")
    if named == EVERYBODY:
        return tenant, None
    return tenant, frozenset(map(UUID, named.split(",")))


def _touched(tx: AsyncSession) -> Touched:
    found: Touched | None = tx.info.get(_TOUCHED)
    if found is None:
        made = tx.info[_TOUCHED] = Touched()
        tenant = tx.info["tenant"]
        after_commit(tx, lambda database: _sender(database).add(database, tenant, made))
        return made
    return found


def _sender(database: Database) -> _Sender:
    return _senders.setdefault(database, _Sender())


class _Sender:
    def __init__(self) -> None:
        self._due: asyncio.Handle | None = None
        self._last = float("-inf")
        self._waiting: dict[str, Touched] = {}

    def add(self, database: Database, tenant: str, touched: Touched) -> None:
        waiting = self._waiting.setdefault(tenant, Touched())
        waiting.people |= touched.people
        waiting.everybody |= touched.everybody
        if self._due is None:
            loop = asyncio.get_running_loop()
            self._due = loop.call_at(self._last + PAUSE_S, self._go, database)

    def _go(self, database: Database) -> None:
        self._due, self._last = None, asyncio.get_running_loop().time()
        waiting, self._waiting = self._waiting, {}
        if not database.is_closed:
            database.spawn(_send(database, waiting))


async def _send(database: Database, waiting: dict[str, Touched]) -> None:
    with suppress(Unavailable):  # the streams look by themselves
        for tenant, touched in waiting.items():
            for payload in touched.payloads(tenant):
                await database.notify(CHANNEL, payload)
