"""Reads the mail sink: every mail by its Message-ID, and the codes that learners wait for."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

import aiohttp

POLL_S = 0.5
_CODE = re.compile(r"\b(\d{6})\b")


@dataclass(frozen=True)
class Mail:
    """A mail that the sink took.

    Attributes:
        message_id: As in the header, angle brackets included.
        received_at: Seconds since the epoch.
    """

    message_id: str
    recipient: str
    subject: str
    received_at: float


class Postbox:
    """Everything that arrived since it was opened.

    Attributes:
        mails: In the order of arrival.
    """

    def __init__(self, url: str) -> None:
        """Reads nothing yet.

        Args:
            url: The sink's listing.
        """
        self.mails: list[Mail] = []
        self._url = url
        self._last = 0
        self._codes: dict[str, list[str]] = defaultdict(list)
        self._news = asyncio.Condition()

    async def watch(self) -> None:
        """Reads what is new until cancelled; outlives the sink."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as http:
            while True:
                # The sink is killed like everything else, and keeps its mails.
                with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError):
                    await self.look(http)
                await asyncio.sleep(POLL_S)

    async def look(self, http: aiohttp.ClientSession) -> None:
        """Reads what is new.

        Raises:
            aiohttp.ClientError: The sink does not answer.
        """
        async with http.get(self._url, params={"after": str(self._last)}) as answer:
            fresh = await answer.json()
        for row in fresh:
            self._last = row["id"]
            recipient = row["to"][0]
            at = datetime.fromisoformat(row["received_at"]).timestamp()
            self.mails.append(Mail(row["headers"]["Message-ID"], recipient, row["subject"], at))
            if match := _CODE.search(row["text"] or ""):
                self._codes[recipient].append(match[1])
        if fresh:
            async with self._news:
                self._news.notify_all()

    async def code(self, recipient: str, *, tried: int, within_s: float) -> str | None:
        """The newest code for somebody, or None when no new one came in time.

        Args:
            recipient: Whose.
            tried: How many of their codes were tried already.
            within_s: How long to wait.
        """
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(lambda: len(self._codes[recipient]) > tried)
        except TimeoutError:
            return None
        return self._codes[recipient][-1]

    def codes_of(self, recipient: str) -> int:
        """How many codes somebody was sent so far."""
        return len(self._codes[recipient])
