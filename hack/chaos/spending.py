"""Counts the processor time that each part of a stack spends, over all of its lives."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Mapping
from operator import itemgetter

from hack.stack.layout import Layout
from hack.stack.record import read_record
from hack.stack.usage import Children, cpu_seconds, process_tree

LOOK_S = 0.5
"""A process that is killed takes with it what it spent since the look before."""
CAMPAIGN = "campaign"


class Spending:
    """Processor seconds by part, the learners' own (``campaign``) among them."""

    def __init__(self, layout: Layout) -> None:
        """Counts nothing yet.

        Args:
            layout: Of the stack, whose record tells the process ids.
        """
        self._layout = layout
        self._spent: dict[tuple[int, str], float] = {}
        self._before: dict[tuple[int, str], float] = {}

    @property
    def seconds(self) -> Mapping[str, float]:
        """By part, largest first, since the first look."""
        found: dict[str, float] = defaultdict(float)
        for key, spent in self._spent.items():
            found[key[1]] += spent - self._before.get(key, 0.0)
        ranked = sorted(found.items(), key=itemgetter(1), reverse=True)
        return {name: round(spent, 1) for name, spent in ranked}

    async def watch(self) -> None:
        """Looks again and again until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """Notes what every process has spent so far."""
        tree = process_tree()
        owners: dict[int, str] = {}
        if (record := read_record(self._layout.record_file)) is not None:
            for name, entry in record.entries.items():
                _claim(entry.pid, name, tree, owners)
            _claim(record.supervisor, "supervisor", tree, owners)
        _claim(os.getpid(), CAMPAIGN, tree, owners)
        for pid, name in owners.items():
            known = self._spent.get((pid, name), 0.0)
            self._spent[pid, name] = max(known, cpu_seconds(pid))  # 0 when it has just gone
        self._before = self._before or dict(self._spent)


def _claim(pid: int, name: str, tree: Children, owners: dict[int, str]) -> None:
    """Gives a process and its descendants to a part, but for those that are another part's."""
    if pid and pid not in owners:
        owners[pid] = name
        for child in tree.get(pid, ()):
            _claim(child, name, tree, owners)
