"""Denials on their way to the audit trail: bounded, folded, and never in the way of an answer."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from kourse.kit import clock
from kourse.kit.audit.entries import DENIED, REFUSED, Entry
from kourse.kit.ids import new_id
from kourse.kit.telemetry import client_address, correlation_id, get_logger
from kourse.kit.telemetry.metrics import AUDIT_DENIALS

MOST = 1000
"""Different denials that wait at the same time; further ones are only counted."""
REPEAT_S = 60.0
"""Time in which the same denial of the same person is told of once more at most, with its number."""
MAX_TARGET_CHARS = 200
DROPPED = "access.denials-dropped"
log = get_logger(__name__)


@dataclass(frozen=True)
class _Same:
    """What makes two denials the same."""

    tenant: str
    actor: str
    route: str
    code: str
    address: str


@dataclass
class _Waiting:
    first: Entry
    last: datetime
    count: int = 1


class Denials:
    """Denials of one process that the trail does not know yet.

    Args:
        service: The service that denies.
        most: Different ones kept.
        monotonic: Seconds that never go back.
    """

    def __init__(
        self, service: str, *, most: int = MOST, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._service = service
        self._most = most
        self._monotonic = monotonic
        self._waiting: dict[_Same, _Waiting] = {}
        self._told: dict[_Same, float] = {}
        self._again: list[Entry] = []
        self._dropped: Counter[str] = Counter()

    def note(
        self, *, tenant: str, actor: object, target: str, route: str, code: str = "forbidden"
    ) -> None:
        """Somebody was denied something; returns at once and never fails.

        Args:
            tenant: Where.
            actor: Who.
            target: What they asked for, as ``GET /v1/cohorts/autumn/members``.
            route: Its template, by which repetitions are known.
            code: Code of the problem that they got.
        """
        AUDIT_DENIALS.labels(self._service, "noted").inc()
        address = client_address()
        same = _Same(tenant, str(actor), route, code, address)
        now = clock.now()
        if (known := self._waiting.get(same)) is not None:
            known.count += 1
            known.last = now
        elif len(self._waiting) + len(self._again) >= self._most:
            self._drop(tenant, 1)
        else:
            first = Entry(
                id=new_id(),
                tenant=tenant,
                at=now,
                actor=str(actor),
                action=DENIED,
                target=target[:MAX_TARGET_CHARS],
                outcome=REFUSED,
                detail={"route": route, "code": code},
                correlation=correlation_id(),
                address=address,
            )
            self._waiting[same] = _Waiting(first, now)

    def take(self, *, all_: bool = False) -> list[Entry]:
        """What the trail is to be told now; hand it back with ``give_back`` if that fails.

        Args:
            all_: Also repetitions of what it was told of within the last minute, as at the end.
        """
        now = self._monotonic()
        self._told = {same: at for same, at in self._told.items() if now - at < REPEAT_S}
        due = [same for same in self._waiting if all_ or same not in self._told]
        taken = self._again
        self._again = []
        for same in due:
            taken.append(_summed(self._waiting.pop(same)))
            if len(self._told) < self._most:
                self._told[same] = now
        taken += [self._loss(tenant, count) for tenant, count in self._dropped.items()]
        self._dropped.clear()
        return taken

    def give_back(self, entries: Iterable[Entry]) -> None:
        """These could not be told; they wait for the next time, as far as there is room."""
        for entry in entries:
            if entry.action == DROPPED:
                self._dropped[entry.tenant] += int(entry.detail["dropped"])
            elif len(self._waiting) + len(self._again) < self._most:
                self._again.append(entry)
            else:
                self._drop(entry.tenant, int(entry.detail["count"]))

    def _drop(self, tenant: str, count: int) -> None:
        if not self._dropped:
            log.warning("denials are not recorded", reason="too many at the same time")
        self._dropped[tenant] += count
        AUDIT_DENIALS.labels(self._service, "dropped").inc(count)

    def _loss(self, tenant: str, count: int) -> Entry:
        return Entry(
            id=new_id(),
            tenant=tenant,
            at=clock.now(),
            actor=f"service:{self._service}",
            action=DROPPED,
            outcome=REFUSED,
            detail={"dropped": count},
        )


def _summed(waiting: _Waiting) -> Entry:
    told = {**waiting.first.detail, "count": waiting.count}
    if waiting.count > 1:
        told["until"] = waiting.last.isoformat()
    return replace(waiting.first, detail=told)
