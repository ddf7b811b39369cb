"""Follows what happens in Keycloak, without loss: its event logs every few seconds, all users now and then.

Each log is read from shortly before where it was read to last; an event that is new is dealt with and
noted in one transaction, so that several followers, or one that was killed, do everything once. Events
that are gone (they lapse, and can be cleared) are made up for by comparing all users with their accounts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

from kourse.contracts.errors import Unavailable
from kourse.identity.repository import links, realm_progress
from kourse.identity.repository.keycloak_events import KeycloakEvents, Log, RealmEvent
from kourse.identity.repository.keycloak_users import KeycloakUsers
from kourse.identity.service import realm_users, sign_out
from kourse.identity.service.house import House
from kourse.kit import clock
from kourse.kit.telemetry import get_logger

OVERLAP = timedelta(minutes=1)
"""How far behind is read again: an event shows when its transaction is over, and clocks differ."""
USERS = "users"
log = get_logger(__name__)


class KeycloakSync:
    """Keeps accounts in step with a realm's users.

    Args:
        house: Identity's parts.
        users: The realm's users.
        events: The realm's event logs.
    """

    def __init__(self, house: House, users: KeycloakUsers, events: KeycloakEvents) -> None:
        self._house = house
        self._users = users
        self._events = events
        self._issuer = users.issuer

    async def sweep(self) -> None:
        """Every account whose user was touched since the last round stands as the user does.

        Raises:
            Unavailable: Keycloak or a store is down; the next round goes on from there.
        """
        for one in Log:
            await self._follow(one)
        begun_ms = _now_ms()
        compared_ms = await self._reached(USERS) or 0
        if begun_ms - compared_ms >= _ms(self._house.settings.keycloak_compare):
            await self.compare()
            await self._reach(USERS, begun_ms)
        await sign_out.end_left(self._house)

    async def compare(self) -> None:
        """Every account that has a user stands as the user does, whatever was or was not told."""
        listed: set[str] = set()
        async for page in self._users.pages():
            listed.update(user.subject for user in page)
            async with self._house.database.transaction(None) as tx:
                found = await links.find_accounts(tx, self._issuer, [one.subject for one in page])
            known = [(user, found[user.subject]) for user in page if user.subject in found]
            await self._settle({user.subject: [] for user, one in known if not user.is_as(one)})
        async with self._house.database.transaction(None) as tx:
            linked = await links.list_subjects(tx, self._issuer)
        await self._settle({subject: [] for subject in linked - listed})

    async def _follow(self, which: Log) -> None:
        """Deals with what is new in the log; one that is read for the first time has no past."""
        begun_ms = _now_ms()
        reached_ms = await self._reached(which.value)
        if reached_ms is not None:
            async for page in self._events.pages(which, reached_ms - _ms(OVERLAP)):
                await self._settle(_by_subject(await self._news(page)))
                await self._reach(which.value, max((one.at_ms for one in page), default=0))
        reached_ms = await self._reach(which.value, begun_ms - _ms(OVERLAP))
        async with self._house.database.transaction(None) as tx:
            await realm_progress.forget(tx, self._issuer, which, reached_ms - _ms(OVERLAP))

    async def _news(self, page: list[RealmEvent]) -> list[RealmEvent]:
        """Those of the events that were not dealt with and are about somebody's account."""
        async with self._house.database.transaction(None) as tx:
            known = await realm_progress.list_known(tx, self._issuer, [one.id for one in page])
            news = [one for one in page if one.id not in known]
            subjects = {one.subject for one in news}
            theirs = await links.find_accounts(tx, self._issuer, subjects)
        return [one for one in news if one.subject in theirs]

    async def _settle(self, touched: Mapping[str, list[RealmEvent]]) -> None:
        """Settles each; one that fails holds nobody up, and is looked at again by the next comparison."""
        for subject, events in touched.items():
            try:
                await realm_users.settle(self._house, self._users, subject, events)
            except Unavailable:
                raise
            except Exception:
                log.exception("an account could not follow keycloak", subject=subject)

    async def _reached(self, part: str) -> int | None:
        async with self._house.database.transaction(None) as tx:
            return await realm_progress.find_reached(tx, self._issuer, part)

    async def _reach(self, part: str, at_ms: int) -> int:
        async with self._house.database.transaction(None) as tx:
            return await realm_progress.reach(tx, self._issuer, part, at_ms)


def _by_subject(events: Iterable[RealmEvent]) -> dict[str, list[RealmEvent]]:
    found: dict[str, list[RealmEvent]] = defaultdict(list)
    for one in events:
        found[one.subject].append(one)
    return found


def _now_ms() -> int:
    return int(clock.now().timestamp() * 1000)


def _ms(period: timedelta) -> int:
    return int(period.total_seconds() * 1000)
