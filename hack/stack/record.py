"""What the supervisor runs at this moment, as it writes it down for the other commands."""

import dataclasses
import json
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Phase(StrEnum):
    """Where a process is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DONE = "done"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    STOPPED = "stopped"


SETTLED = frozenset({Phase.READY, Phase.DONE})
"""Phases in which a process does what it is there for."""


@dataclass
class Entry:
    """One process in the record.

    Attributes:
        phase: Where it is.
        pid: Its process id, 0 when it does not run.
        started: Its start time in clock ticks since boot: tells it from a reused pid.
        restarts: How often it was started again because it had ended.
        failures: How often in a row it ended without having served for a while.
        exit_code: How it ended last; None when it never did.
        address: What to show a person.
        digest: Of the row of the plan it was started from.
    """

    phase: Phase = Phase.WAITING
    pid: int = 0
    started: int = 0
    restarts: int = 0
    failures: int = 0
    exit_code: int | None = None
    address: str = ""
    digest: str = ""


@dataclass
class Record:
    """The whole record.

    Attributes:
        supervisor: Process id of the writer.
        supervisor_started: Its start time in clock ticks since boot.
        supervisor_digest: Of the supervisor's own code.
        revision: Of the plan being carried out.
        turn: Of that plan.
        entries: By name, in the plan's order.
    """

    supervisor: int
    supervisor_started: int
    supervisor_digest: str
    revision: str = ""
    turn: int = 0
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether every process does what it is there for."""
        return all(entry.phase in SETTLED for entry in self.entries.values())

    def dump(self) -> str:
        """Return the record as JSON; no secrets."""
        return json.dumps(dataclasses.asdict(self), indent=1)

    @classmethod
    def parse(cls, text: str) -> "Record":
        """Return the record that ``dump`` wrote.

        Raises:
            ValueError: The text is not such a record, for instance of an older version.
        """
        try:
            raw = json.loads(text)
            entries = {
                name: Entry(**{**row, "phase": Phase(row["phase"])})
                for name, row in raw.pop("entries").items()
            }
            return cls(**raw, entries=entries)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a record of the stack: {error}") from error


def read_record(path: Path) -> Record | None:
    """Return the record in a file; None when there is none or it cannot be understood."""
    try:
        return Record.parse(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
