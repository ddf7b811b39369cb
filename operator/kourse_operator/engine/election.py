"""Leader election by a Lease: one process works, the others are ready to.

The rules are those of client-go's ``tools/leaderelection``: a candidate trusts no clock but its own, so it
counts the lease's duration from the moment at which it saw the record change; every write is bound to
the version that was read, so of two candidates one wins; a leader that cannot renew within its deadline,
which is shorter than the duration, ends before anyone else may begin.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import monotonic
from typing import Protocol

from kourse.contracts.errors import KourseError
from kourse.kit import clock as wall
from kourse.kit.telemetry import get_logger
from kourse_operator.engine.leadership import Leadership, Term
from kourse_operator.errors import LeadershipLost, Outdated

RELEASED_S = 1
"""Duration of a lease that was given back, as client-go writes it."""
log = get_logger(__name__)


@dataclass(frozen=True)
class Record:
    """What a Lease says.

    Attributes:
        holder: Identity of the leader, empty when it was given back.
        duration_s: Whole seconds that it lasts from its last renewal.
        acquired: When the holder began.
        renewed: When it was renewed last.
        transitions: How often it changed hands.
        uid: The Lease's own identity, empty while there is none.
        version: The Lease's resource version, empty while there is none.
    """

    holder: str
    duration_s: int
    acquired: datetime
    renewed: datetime
    transitions: int
    uid: str = ""
    version: str = ""


class Lease(Protocol):
    """One Lease at the Kubernetes API."""

    async def read(self) -> Record | None:
        """What it says, or None when there is none."""

    async def write(self, record: Record) -> Record:
        """The Lease after it was made, or changed from the version that the record names.

        Raises:
            Outdated: Somebody else made or changed it.
        """


@dataclass(frozen=True)
class Rhythm:
    """The times of an election, in seconds.

    Attributes:
        duration_s: How long others wait for a leader that is silent.
        renew_within_s: How long a leader goes on without a successful renewal; less than the duration.
        retry_s: Between two attempts, to renew or to acquire.
    """

    duration_s: float = 15.0
    renew_within_s: float = 10.0
    retry_s: float = 2.0


class Election:
    """One candidate."""

    def __init__(
        self,
        lease: Lease,
        leadership: Leadership,
        *,
        identity: str,
        rhythm: Rhythm,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """``identity`` must be of this process alone, and ``clock`` the one of the leadership."""
        self._lease = lease
        self._leadership = leadership
        self._identity = identity
        self._rhythm = rhythm
        self._clock = clock
        self._seen: Record | None = None
        self._seen_at = -math.inf
        self._turn = asyncio.Lock()
        self._is_over = False

    async def win(self) -> Term:
        """The term, once this process leads."""
        while not await self._attempt():  # noqa: ASYNC110 -- it is the attempt that changes it
            await asyncio.sleep(self._rhythm.retry_s * random.uniform(1.0, 1.1))  # noqa: S311 -- jitter
        term = self._leadership.require()
        log.info("leading", identity=self._identity, term=term.number)
        return term

    async def hold(self) -> None:
        """Renews for as long as that succeeds, or until ``release``.

        Raises:
            LeadershipLost: The term is over; nothing may be written any more.
        """
        while True:
            await asyncio.sleep(min(self._rhythm.retry_s, max(0.0, self._leadership.left_s)))
            async with self._turn:
                if self._is_over:
                    return
                await self._renew()

    async def _renew(self) -> None:
        left_s = self._leadership.left_s
        if left_s > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._attempt()
        if self._leadership.left_s <= 0 or not self._is_mine(self._seen):
            self._leadership.end()
            raise LeadershipLost("The lease was not renewed in time or has gone to another.")

    async def release(self) -> None:
        """Gives the lease back, so that another process need not wait; harmless if this one has none."""
        async with self._turn:
            self._is_over = True
            await self._give_back()

    async def _give_back(self) -> None:
        self._leadership.end()
        if self._seen is None or not self._is_mine(self._seen):
            return
        now = wall.now()
        given = replace(self._seen, holder="", duration_s=RELEASED_S, acquired=now, renewed=now)
        with suppress(KourseError, TimeoutError):
            async with asyncio.timeout(self._rhythm.renew_within_s):
                self._note(await self._lease.write(given))
                log.info("lease_released", identity=self._identity)

    async def _attempt(self) -> bool:
        """Acquires or renews if it can be; whether it could."""
        began = self._clock()
        try:
            found = self._seen if self._is_mine(self._seen) else await self._lease.read()
            self._note(found)
            if not self._is_free(found):
                return False
            self._note(await self._lease.write(self._claim(found)))
        except Outdated:
            await self._look()
            return False
        except KourseError as error:
            log.warning("lease_not_reached", detail=error.detail)
            return False
        assert self._seen is not None  # noqa: S101 -- it was written
        term = Term(self._seen.uid, self._seen.transitions)
        self._leadership.extend(term, began + self._rhythm.renew_within_s)
        return True

    async def _look(self) -> None:
        """Sees who was faster."""
        with suppress(KourseError):
            self._note(await self._lease.read())

    def _note(self, record: Record | None) -> None:
        if record != self._seen:
            self._seen, self._seen_at = record, self._clock()

    def _is_mine(self, record: Record | None) -> bool:
        return record is not None and record.holder == self._identity

    def _is_free(self, found: Record | None) -> bool:
        """Whether this process may hold the lease: nobody else does, or has been silent too long."""
        if found is None or not found.holder or self._is_mine(found):
            return True
        return self._seen_at + found.duration_s <= self._clock()

    def _claim(self, found: Record | None) -> Record:
        now = wall.now().astimezone(UTC)
        duration_s = math.ceil(self._rhythm.duration_s)
        if found is None:
            return Record(self._identity, duration_s, now, now, transitions=0)
        if self._is_mine(found):
            return replace(found, duration_s=duration_s, renewed=now)
        return replace(
            found,
            holder=self._identity,
            duration_s=duration_s,
            acquired=now,
            renewed=now,
            transitions=found.transitions + 1,
        )
