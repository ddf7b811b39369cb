"""Which of the 16 partitions a relay holds: as many as each of its replicas, and none held twice.

Partitions and membership are session-level advisory locks on the relay's own connection, so a crash
gives everything back at once, and no clock is compared. Members share one lock, and everybody can count
who holds it.
"""

from __future__ import annotations

from zlib import crc32

import psycopg

from kourse.contracts import names

_MEMBERS = -1
"""Second key of the lock that members share; partitions have theirs from 0."""
_JOIN = "SELECT pg_advisory_lock_shared(%s, %s)"
_COUNT = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 2 AND granted AND mode = 'ShareLock'
  AND classid = (%s::bigint & 4294967295)::oid AND objid = (%s::bigint & 4294967295)::oid
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_CLAIM = "SELECT part FROM unnest(%s::int[]) AS part WHERE pg_try_advisory_lock(%s, part) LIMIT %s"
_RELEASE = "SELECT pg_advisory_unlock(%s, part) FROM unnest(%s::int[]) AS part"


def fair_share(members: int) -> int:
    """Most partitions that one of so many replicas holds: 16 divided by them, rounded up."""
    return -(-names.PARTITIONS // max(members, 1))


class Shares:
    """One replica's hold on the partitions of a service's outbox.

    Attributes:
        parts: Partitions held now.
    """

    def __init__(self, connection: psycopg.AsyncConnection, service: str) -> None:
        self.parts: frozenset[int] = frozenset()
        self._connection = connection
        self._lock = crc32(f"kourse.outbox.{service}".encode()) - 2**31

    async def join(self) -> None:
        """From now on the other replicas count this one."""
        await self._connection.execute(_JOIN, (self._lock, _MEMBERS))

    async def settle(self) -> None:
        """Takes free partitions up to a fair share, and gives back what is beyond it.

        Nothing may be in flight for a partition that is held, since any of them may go.
        """
        cursor = await self._connection.execute(_COUNT, (self._lock, _MEMBERS))
        (members,) = await cursor.fetchone() or (1,)
        fair = fair_share(members)
        if len(self.parts) > fair:
            surplus = sorted(self.parts)[fair:]
            await self._connection.execute(_RELEASE, (self._lock, surplus))
            self.parts -= frozenset(surplus)
        elif len(self.parts) < fair:
            wanted = sorted(frozenset(range(names.PARTITIONS)) - self.parts)
            claim = (wanted, self._lock, fair - len(self.parts))
            cursor = await self._connection.execute(_CLAIM, claim)
            self.parts |= {part for (part,) in await cursor.fetchall()}
