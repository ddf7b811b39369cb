"""The two event logs of a Keycloak realm: what administrators did, and what people did themselves.

Events have random ids and the time at which they were made, to a millisecond; they can be read a
little later than that, when their transaction is over. So a reader goes by time, reads again what
lies shortly behind, and tells by their ids which events are new.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kourse.contracts.errors import Unavailable
from kourse.identity.repository.keycloak import Keycloak

PAGE = 100
_OWN_EVENTS = (
    "UPDATE_PASSWORD",
    "UPDATE_CREDENTIAL",
    "UPDATE_EMAIL",
    "UPDATE_PROFILE",
    "VERIFY_EMAIL",
    "DELETE_ACCOUNT",
)


class Log(StrEnum):
    """An event log, by its path in the admin API."""

    ADMINISTRATORS = "admin-events"
    PEOPLE = "events"


_ABOUT_USERS = {
    Log.ADMINISTRATORS: [("resourceTypes", "USER")],
    Log.PEOPLE: [("type", kind) for kind in _OWN_EVENTS],
}


@dataclass(frozen=True)
class RealmEvent:
    """Something happened to a user.

    Attributes:
        log: Where it was read.
        id: The event's own.
        at_ms: When, in Unix milliseconds by Keycloak's clock.
        subject: The user's id in the realm; empty when it is about nobody.
        has_new_password: Whether the user has a new password since.
    """

    log: Log
    id: str
    at_ms: int
    subject: str
    has_new_password: bool


class KeycloakEvents:
    """Reads the logs; ``Unavailable`` when Keycloak gives no answer."""

    def __init__(self, keycloak: Keycloak, *, page: int = PAGE) -> None:
        self._keycloak = keycloak
        self._size = page

    async def pages(self, log: Log, since_ms: int) -> AsyncIterator[list[RealmEvent]]:
        """All events from an instant on, oldest first; those where pages meet come twice.

        The next page begins at the last event's time, as order among equal times is not kept from one
        answer to the next; a page that knows one time alone is asked for again with more room.
        """
        size = self._size
        while True:
            page = await self._ask(
                log, [("dateFrom", str(since_ms)), ("direction", "asc"), ("max", str(size))]
            )
            yield page
            if len(page) < size:
                return
            last_ms = max(one.at_ms for one in page)
            since_ms, size = (last_ms, self._size) if last_ms > since_ms else (since_ms, 2 * size)

    async def _ask(self, log: Log, query: list[tuple[str, str]]) -> list[RealmEvent]:
        answer = await self._keycloak.ask("GET", log.value, query=[*query, *_ABOUT_USERS[log]])
        if not isinstance(answer.body, list):
            raise Unavailable("Keycloak does not show its events.")
        return [event_of(log, one) for one in answer.body]


def event_of(log: Log, answer: dict[str, Any]) -> RealmEvent:
    """An event of the log, as the admin API describes it."""
    if log is Log.PEOPLE:
        subject, is_password = str(answer.get("userId") or ""), _sets_password(answer)
    else:
        kind, _, rest = str(answer.get("resourcePath", "")).partition("/")
        subject, _, action = rest.partition("/") if kind == "users" else ("", "", "")
        is_password = action == "reset-password"
    return RealmEvent(log, str(answer["id"]), int(answer["time"]), subject, is_password)


def _sets_password(answer: dict[str, Any]) -> bool:
    """Whether a person gave themselves a password; Keycloak 26 has two types of event for that."""
    kind = (answer.get("details") or {}).get("credential_type")
    return answer["type"] == "UPDATE_PASSWORD" or kind == "password"
