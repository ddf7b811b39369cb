"""How the replicas of a consumer share its partitions: leases in its own schema, by the database's clock.

Each replica says now and then that it is there, renews what it holds, gives back what is above its share
and takes what is free. A lease only says who shall read. What a replica does that was paused and does not
know that its lease is over is harmless: it waits for the entity's cursor as everybody does, and finds there
what took effect meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from prometheus_client import Gauge
from sqlalchemy import Result
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.kit.db import Database, statement
from kourse.kit.ids import new_id

LEASE_S = 10.0
"""Seconds after which the parts of a replica that fell silent are free."""
RENEW_S = 1.0
"""Seconds between renewals."""
HELD = Gauge("kourse_inbox_parts", "Partitions that this replica reads.", ["consumer"])

_APPEAR = """
INSERT INTO {schema}.partition_member (consumer, member) VALUES (:consumer, :member)
ON CONFLICT (consumer, member) DO UPDATE SET seen_at = clock_timestamp()
"""
_FORGET = """
DELETE FROM {schema}.partition_member
WHERE consumer = :consumer AND seen_at < clock_timestamp() - make_interval(secs => :lease_s)
"""
_COUNT = "SELECT count(*) FROM {schema}.partition_member WHERE consumer = :consumer"
_PARTS = """
INSERT INTO {schema}.partition_lease (consumer, part)
SELECT :consumer, part FROM unnest(CAST(:parts AS smallint[])) AS part ON CONFLICT DO NOTHING
"""
_RENEW = """
UPDATE {schema}.partition_lease
SET expires_at = clock_timestamp() + make_interval(secs => :lease_s)
WHERE consumer = :consumer AND owner = :member RETURNING part, token
"""
# Materialized: a subquery may be run for each row, and each run would lock further ones, beyond the limit.
_CLAIM = """
WITH free AS MATERIALIZED (
  SELECT part FROM {schema}.partition_lease
  WHERE consumer = :consumer AND part = ANY(:parts)
    AND (owner IS NULL OR expires_at < clock_timestamp())
  ORDER BY part LIMIT :room FOR UPDATE SKIP LOCKED)
UPDATE {schema}.partition_lease
SET owner = :member, token = token + 1,
  expires_at = clock_timestamp() + make_interval(secs => :lease_s)
WHERE consumer = :consumer AND part IN (SELECT part FROM free)
RETURNING part, token
"""
_RELEASE = """
UPDATE {schema}.partition_lease SET owner = NULL, expires_at = clock_timestamp()
WHERE consumer = :consumer AND owner = :member AND part = ANY(:parts)
"""
_LEAVE = "DELETE FROM {schema}.partition_member WHERE consumer = :consumer AND member = :member"


@dataclass(frozen=True)
class Share:
    """What a replica holds.

    Attributes:
        parts: Its partitions, each with the number of the lease, which grows with every new owner.
        surplus: Those of them that it shall give back.
    """

    parts: dict[int, int]
    surplus: frozenset[int]


def share_of(held: Collection[int], total: int, members: int) -> int:
    """How many partitions above its share a replica holds (negative: how many it may take).

    Args:
        held: Those it holds.
        total: How many there are.
        members: Replicas, at least 1.
    """
    return len(held) - -(-total // members)


class Leases:
    """One replica's part in the sharing."""

    def __init__(
        self, database: Database, consumer: str, parts: Iterable[int], *, lease_s: float = LEASE_S
    ) -> None:
        """Holds nothing yet.

        Args:
            database: Of the application role.
            consumer: Name of the consumer.
            parts: Partitions that are shared out.
            lease_s: Seconds that a lease holds without renewal.
        """
        self.member = str(new_id())
        self._database = database
        self._consumer = consumer
        self._all = tuple(sorted(parts))
        self._lease_s = lease_s

    async def renew(self) -> Share:
        """This replica is there for another ``lease_s``; what it holds now.

        Raises:
            Unavailable: The database does not answer; what is held stays so until it ends.
        """
        async with self._database.transaction(None) as tx:
            await self._execute(tx, _FORGET, lease_s=self._lease_s)
            await self._execute(tx, _APPEAR, member=self.member)
            members = (await self._execute(tx, _COUNT)).scalar_one()
            held = await self._leased(tx, _RENEW)
            surplus = share_of(held, len(self._all), members)
            if surplus < 0:
                await self._execute(tx, _PARTS, parts=list(self._all))
                held |= await self._leased(tx, _CLAIM, parts=list(self._all), room=-surplus)
        return Share(held, frozenset(sorted(held)[len(held) - max(surplus, 0) :]))

    async def release(self, parts: Iterable[int]) -> None:
        """Others may take these partitions.

        Raises:
            Unavailable: The database does not answer; they are free when the leases end.
        """
        async with self._database.transaction(None) as tx:
            await self._execute(tx, _RELEASE, member=self.member, parts=list(parts))

    async def leave(self) -> None:
        """This replica is gone, and others may take all that it held.

        Raises:
            Unavailable: The database does not answer; it is gone when its leases end.
        """
        async with self._database.transaction(None) as tx:
            await self._execute(tx, _RELEASE, member=self.member, parts=list(self._all))
            await self._execute(tx, _LEAVE, member=self.member)

    async def _leased(self, tx: AsyncSession, template: str, **values: object) -> dict[int, int]:
        names_ = {"member": self.member, "lease_s": self._lease_s}
        found = await self._execute(tx, template, **names_, **values)
        return {row.part: row.token for row in found}

    async def _execute(self, tx: AsyncSession, template: str, **values: object) -> Result[Any]:
        made = statement(self._database.schema, template)
        return await tx.execute(made, {"consumer": self._consumer, **values})
