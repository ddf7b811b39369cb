"""Settles what senders are done with, all that wait at a time in one transaction, like a group commit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from kourse.kit.db import Database
from kourse.notification.repository import deliveries
from kourse.notification.repository.deliveries import Settlement


@dataclass(frozen=True, eq=False)
class _Waiting:
    settlement: Settlement
    done: asyncio.Future[bool]


class Settling:
    """Writes how deliveries ended.

    One transaction runs at a time for each tenant. What comes up meanwhile goes together into the next: with
    few mails none waits for another, with many there are fewer transactions.
    """

    def __init__(self, database: Database) -> None:
        """Nothing is settled yet.

        Args:
            database: Of the application role.
        """
        self._database = database
        self._waiting: dict[str, list[_Waiting]] = {}
        self._runners: dict[str, asyncio.Task[None]] = {}

    async def settle(self, tenant: str, settlement: Settlement) -> bool:
        """Whether the delivery is done by this call, once that is committed; False when the claim had lapsed.

        Raises:
            Unavailable: The database cannot be reached; whether it is settled is not known.
        """
        one = _Waiting(settlement, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(tenant, []).append(one)
        if tenant not in self._runners:
            self._runners[tenant] = asyncio.create_task(self._run(tenant))
        return await one.done

    async def _run(self, tenant: str) -> None:
        try:
            while lot := self._waiting.pop(tenant, None):
                await self._settle(tenant, lot)
        finally:
            del self._runners[tenant]

    async def _settle(self, tenant: str, lot: list[_Waiting]) -> None:
        settled, failure = set(), None
        try:
            async with self._database.transaction(tenant) as tx:
                settled = await deliveries.settle(tx, [one.settlement for one in lot])
        except Exception as error:  # noqa: BLE001 - handed on to those who wait
            failure = error
        for one in lot:
            if one.done.done():
                continue  # whoever waited was cancelled
            if failure is None:
                one.done.set_result(one.settlement.delivery_id in settled)
            else:
                one.done.set_exception(failure)
