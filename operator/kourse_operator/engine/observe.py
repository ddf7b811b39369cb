"""Counts in the status: how many learners, members and attempts, refreshed in batches and seldom."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

from kourse.contracts.errors import KourseError
from kourse.kit.telemetry import get_logger
from kourse_operator.engine.engine import Engine
from kourse_operator.ports import Rows
from kourse_operator.resource import Key

NAMES_AT_A_TIME = 500
log = get_logger(__name__)


class Observer:
    """Refreshes the counts of all objects, round after round."""

    def __init__(self, engine: Engine, rows: Rows, *, interval_s: float) -> None:
        """``interval_s`` lies between two rounds at least, and up to a fifth more, so that replicas part."""
        self._engine = engine
        self._rows = rows
        self._interval_s = interval_s

    async def run(self) -> None:
        """Rounds until cancelled."""
        while True:
            await asyncio.sleep(self._interval_s * random.uniform(1.0, 1.2))  # noqa: S311 -- jitter
            for group, keys in self._groups():
                try:
                    await self.refresh(group, keys)
                except KourseError as error:
                    log.info("counts_not_refreshed", kind=group[0], detail=error.detail)

    async def refresh(self, group: tuple[str, str], keys: list[Key]) -> None:
        """Brings the counts of these objects of one kind and tenant up to date."""
        kind, tenant = group
        found = await self._rows.observe(kind, tenant, [key.name for key in keys])
        for key in keys:
            if key.name in found:
                await self._engine.refresh(key, found[key.name])

    def _groups(self) -> Iterator[tuple[tuple[str, str], list[Key]]]:
        groups: dict[tuple[str, str], list[Key]] = {}
        for resource in self._engine.store:
            if resource.status.get("id") and not resource.paused:
                tenant, kind, _ = self._engine.store.declared(resource.key)
                groups.setdefault((kind, tenant), []).append(resource.key)
        for group, keys in groups.items():
            for start in range(0, len(keys), NAMES_AT_A_TIME):
                yield group, keys[start : start + NAMES_AT_A_TIME]
