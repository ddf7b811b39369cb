"""Wake-ups from the services over PostgreSQL: an object is looked at the moment its turn comes.

They are hints, no more: one that is lost costs time until the next retry or resync, nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
import psycopg

from kourse.kit.db import connect_options
from kourse.kit.telemetry import get_logger

CHANNEL = "kourse_wake"
RECONNECT_S = 2.0
log = get_logger(__name__)


class WakeListener:
    """Listens on the channel and passes on what it hears."""

    def __init__(
        self, url: str, heard: Callable[[str, str, str], None], reconnected: Callable[[], None]
    ) -> None:
        """Makes a listener that does not listen yet.

        Args:
            url: SQLAlchemy address of the database; never log it.
            heard: Takes tenant, kind and name.
            reconnected: Called whenever listening begins, as something may have been missed.
        """
        self._url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._heard = heard
        self._reconnected = reconnected
        self.is_listening = False

    async def run(self) -> None:
        """Listens until cancelled; comes back after every loss of the connection."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                log.warning("wake_ups_lost", error=type(error).__name__)
            finally:
                self.is_listening = False
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        options = connect_options(10.0, "kourse-operator-wake")
        connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, **options)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self.is_listening = True
            self._reconnected()
            async for notice in connection.notifies():
                self._pass_on(notice.payload)

    def _pass_on(self, payload: str) -> None:
        try:
            said = orjson.loads(payload)
            self._heard(said["tenant"], said["kind"], said["name"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            log.warning("wake_up_not_understood")
