"""A person with a browser's worth of REST: logs in, calls the gateway, reads their mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any, TypeVar
from uuid import uuid4

import httpx2

PATIENCE_S = 240.0
"""How long something that follows from an event may take before the smoke gives up."""
LATER = frozenset({502, 503, 504})
"""Answers of a platform that is busy."""


class Unexpected(AssertionError):
    """The platform answered otherwise than its users would expect."""


T = TypeVar("T")


def eventually(
    what: str,
    look: Callable[[], T | None],
    patience_s: float = PATIENCE_S,
    *,
    pause_s: float = 0.1,
) -> T:
    """The first answer that is neither None nor empty.

    Args:
        what: What is awaited, for the message.
        look: Asked again and again.
        patience_s: Seconds until it is given up.
        pause_s: Seconds between two looks.

    Raises:
        Unexpected: It did not come in time; the message says what was awaited.
    """
    end = monotonic() + patience_s
    while monotonic() < end:
        found = look()
        if found:
            return found
        sleep(pause_s)
    raise Unexpected(f"{what} did not come within {patience_s:.0f} s")


@dataclass
class Person:
    """One account at the gateway; ``token`` is empty until log-in."""

    url: str
    email: str
    password: str
    token: str = ""
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=60))

    def close(self) -> None:
        """Lets go of the connections."""
        self.http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        expect: int | tuple[int, ...] = (200, 201, 202, 204),
        **more: Any,
    ) -> Any:
        """The answer's JSON, or None where it has no body; asked again while it is "come again later".

        Every write carries its key, so that asking again never does it twice.

        Raises:
            Unexpected: The status is another; the message carries the problem document.
        """
        headers = {"Accept": "application/json", **more.pop("headers", {})}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if method != "GET":
            headers.setdefault("Idempotency-Key", str(uuid4()))
        allowed = (expect,) if isinstance(expect, int) else expect
        answer = self.http.request(method, self.url + path, headers=headers, **more)
        end = monotonic() + PATIENCE_S
        while answer.status_code in LATER.difference(allowed) and monotonic() < end:
            sleep(float(answer.headers.get("Retry-After", "1")))
            answer = self.http.request(method, self.url + path, headers=headers, **more)
        if answer.status_code not in allowed:
            raise Unexpected(f"{method} {path} answered {answer.status_code}: {answer.text[:600]}")
        return answer.json() if answer.content else None

    def get(self, path: str, **more: Any) -> Any:
        """The answer to a GET."""
        return self.call("GET", path, **more)

    def log_in(self) -> None:
        """Holds an access token from here on."""
        body = {"email": self.email, "password": self.password}
        self.token = self.call("POST", "/v1/auth/login", json=body)["accessToken"]


@dataclass
class Mailbox:
    """The SMTP sink of the stack."""

    url: str
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=60))

    def close(self) -> None:
        """Lets go of the connections."""
        self.http.close()

    def messages(self, address: str) -> list[dict[str, Any]]:
        """E-mails to an address, oldest first."""
        answer = self.http.get(f"{self.url}/messages", params={"to": address})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def code(self, address: str) -> str | None:
        """The six-digit code of the newest e-mail that has one."""
        for message in reversed(self.messages(address)):
            match = re.search(r"\b(\d{6})\b", message["text"])
            if match:
                return match.group(1)
        return None
