"""A person's client that behaves: it repeats what failed under the same key, and waits as it is told."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp

PATIENCE_S = 300.0
"""How long one thing may take before the journey counts as failed."""
REQUEST_S = 12.0
"""After this a request is given up and repeated; its outcome is unknown."""
LATER = frozenset({429, 502, 503, 504})
CONFLICT, UNAUTHENTICATED, REFUSED = 409, 401, 400
GIVEN_UP = frozenset({502, 504})
"""The gateway lost the service while it waited for the answer, or waited no longer."""
IDEMPOTENT_METHODS = frozenset({"GET"})


class Stuck(Exception):
    """Something did not come about, or was refused for good; the message says what."""


@dataclass
class Tally:
    """What the clients met, over all of them."""

    requests: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    unknown_writes: int = 0
    """Writes of which nobody can say whether they took effect: the answer was lost, here or behind the gateway."""
    replayed: int = 0
    """Answers that the platform gave again to a repeated key."""


@dataclass(frozen=True)
class Answer:
    """A status with the JSON that came with it."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        """The stable code of a problem, or ""."""
        found = self.body.get("type", "") if isinstance(self.body, dict) else ""
        return str(found).rsplit("/", 1)[-1].rsplit("#", 1)[-1]


class Person:
    """One account at the gateway."""

    def __init__(
        self, http: aiohttp.ClientSession, tally: Tally, email: str, password: str
    ) -> None:
        """Calls nobody yet.

        Args:
            http: Connections to the gateway.
            tally: Where to count.
            email: The log-in.
            password: The log-in's.
        """
        self.email = email
        self.password = password
        self._http = http
        self._tally = tally
        self._token = ""

    async def log_in(self) -> Answer:
        """Holds an access token from here on, unless it is refused; the answer."""
        self._token = ""
        body = {"email": self.email, "password": self.password}
        answer = await self.call("POST", "/v1/auth/login", body)
        if answer.status < REFUSED:
            self._token = answer.body["accessToken"]
        return answer

    async def do(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer that grants what was asked.

        Raises:
            Stuck: It was refused, or there was no answer in time.
        """
        answer = await self.call(method, path, body)
        if answer.status >= REFUSED:
            raise Stuck(f"{self.email}: {method} {path} answered {answer.status}: {answer.body}")
        return answer.body

    async def call(self, method: str, path: str, body: Any = None) -> Answer:
        """The first answer that is not "come again", under one idempotency key.

        Raises:
            Stuck: There was none in time.
        """
        deadline = time.monotonic() + PATIENCE_S
        key = str(uuid4())
        failures = 0
        while time.monotonic() < deadline:
            answer, wait_s = await self._try(method, path, body, key)
            if answer is not None and answer.status == UNAUTHENTICATED and self._token:
                await self.log_in()
                continue
            if answer is not None:
                return answer
            failures += 1
            backoff_s = min(4.0, 0.1 * 2.0**failures)
            await asyncio.sleep((wait_s or backoff_s) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        raise Stuck(f"{self.email}: {method} {path} had no answer within {PATIENCE_S:.0f} s")

    async def _try(
        self, method: str, path: str, body: Any, key: str
    ) -> tuple[Answer | None, float]:
        """The answer, or None and for how many seconds to wait, 0 when nobody said."""
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if method not in IDEMPOTENT_METHODS:
            headers["Idempotency-Key"] = key
        self._tally.requests += 1
        try:
            async with self._http.request(method, path, json=body, headers=headers) as response:
                found = await response.json(content_type=None) if response.status != 204 else None  # noqa: PLR2004
        except (aiohttp.ClientError, TimeoutError, ValueError):
            self._tally.unknown_writes += method not in IDEMPOTENT_METHODS
            return None, 0.0
        self._tally.answers[response.status] += 1
        if response.status in GIVEN_UP:
            self._tally.unknown_writes += method not in IDEMPOTENT_METHODS
        self._tally.replayed += "Idempotency-Replayed" in response.headers
        wait_s = float(response.headers.get("Retry-After", 0))
        if response.status in LATER or (response.status == CONFLICT and wait_s):
            return None, wait_s
        return Answer(response.status, found), 0.0
