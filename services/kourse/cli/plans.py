"""A plan for a whole directory, as the command line prints it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from kourse.contracts.plans import SCHEMA, Action, Planned

ERRORS = frozenset({Action.WAIT, Action.REFUSED})
CHANGES = frozenset({Action.CREATE, Action.UPDATE, Action.REPAIR})
NOTHING_TO_DO, FAILED, SOMETHING_TO_DO = 0, 1, 2


@dataclass(frozen=True)
class Infrastructure:
    """Something outside the database that would be created or removed."""

    change: str
    what: str


@dataclass(frozen=True)
class Entry:
    """What would happen to one object.

    Attributes:
        planned: What its owner says.
        file: Where it is declared, or None for an object that is only affected.
        infrastructure: Buckets, exchanges, queues and bindings that would change.
        files: How many of its files would be sent.
        notes: What else is worth knowing.
    """

    planned: Planned
    file: str | None = None
    infrastructure: tuple[Infrastructure, ...] = ()
    files: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DirectoryPlan:
    """What applying a directory would do.

    Attributes:
        tenant: For whom.
        entries: The declared objects in order, then others that are affected.
    """

    tenant: str
    entries: tuple[Entry, ...]

    @property
    def counts(self) -> Counter[Action]:
        """How many declared objects have which action."""
        return Counter(entry.planned.action for entry in self.entries if entry.file is not None)

    @property
    def exit_status(self) -> int:
        """0 when there is nothing to do, 2 when something would change, 1 when something is wrong."""
        found = set(self.counts)
        if found & ERRORS:
            return FAILED
        return SOMETHING_TO_DO if found & CHANGES else NOTHING_TO_DO

    def as_json(self) -> dict[str, Any]:
        """The stable form for programs."""
        return {
            "schema": SCHEMA,
            "tenant": self.tenant,
            "summary": {action.value: self.counts[action] for action in Action},
            "objects": [_entry(entry) for entry in self.entries],
        }


def _entry(entry: Entry) -> dict[str, Any]:
    planned = entry.planned.model_dump(mode="json", by_alias=True, exclude={"spec_before"})
    return planned | {
        "file": entry.file,
        "infrastructure": [vars(one) for one in entry.infrastructure],
        "files": entry.files,
        "notes": list(entry.notes),
    }
