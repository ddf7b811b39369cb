"""The declarative table of the stack: what runs, after what, and when it counts as ready."""

import dataclasses
import hashlib
import json
import os
import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class PlanError(Exception):
    """A plan cannot be carried out: an unknown need or a cycle."""


class ProbeKind(StrEnum):
    """How a probe asks."""

    TCP = "tcp"
    HTTP = "http"
    HTTPS = "https"
    POSTGRES = "postgres"
    REDIS = "redis"
    AMQP = "amqp"
    SMTP = "smtp"


@dataclass(frozen=True)
class Probe:
    """A question whose right answer means that a process serves.

    Attributes:
        kind: The protocol.
        port: The port on 127.0.0.1.
        path: The path to get, for HTTP and HTTPS; any 2xx is ready.
        password: For Redis, which tells only clients that have logged in whether it is loading.
    """

    kind: ProbeKind
    port: int
    path: str = "/"
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Process:
    """One child of the supervisor.

    Attributes:
        name: Unique, short; names its log and data directory.
        argv: The command; the program by its absolute path.
        env: The whole environment but for the marker.
        cwd: The working directory: its own data directory, by which left-overs are told.
        needs: Names of what has to be ready before it starts for the first time.
        probe: When it is ready; None means as soon as it runs.
        once: It is a task: done when it exits with 0, and then not run again while its digest
            stays the same and its data are there.
        stop_signal: What asks it to stop.
        stop_seconds: How long it may take to stop before it is killed.
        stale_files: Files a killed predecessor leaves behind that keep it from starting.
        ports: Where it listens.
        address: What to show a person.
        inputs: A digest of what else decides how it runs: sources, configuration files.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    needs: tuple[str, ...] = ()
    probe: Probe | None = None
    once: bool = False
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 15.0
    stale_files: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    address: str = ""
    inputs: str = ""

    @property
    def digest(self) -> str:
        """Return what changes when the process has to be restarted."""
        decisive = [self.argv, sorted(self.env.items()), self.cwd, self.inputs]
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16]

    @property
    def programs(self) -> frozenset[str]:
        """Return the real paths of what it may run as: a launcher becomes what it starts."""
        return frozenset(os.path.realpath(word) for word in self.argv if word.startswith("/"))


@dataclass(frozen=True)
class Plan:
    """Everything a supervisor shall run.

    Attributes:
        state_id: The marker of the state directory.
        processes: The table.
        turn: Counts the plans of a state directory, so that a command knows when its own is
            being carried out.
    """

    state_id: str
    processes: tuple[Process, ...] = ()
    turn: int = 0

    @property
    def revision(self) -> str:
        """Return a digest of what shall run: equal tables have equal revisions."""
        rows = [[process.name, process.digest] for process in self.processes]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]

    def dump(self) -> str:
        """Return the plan as JSON; it holds secrets."""
        return json.dumps(dataclasses.asdict(self), indent=1)

    @classmethod
    def parse(cls, text: str) -> "Plan":
        """Return the plan that ``dump`` wrote.

        Raises:
            PlanError: The text is not such a plan, for instance of another version.
        """
        try:
            raw = json.loads(text)
            rows = tuple(_parse_process(row) for row in raw["processes"])
            return cls(raw["state_id"], rows, raw["turn"])
        except (ValueError, KeyError, TypeError) as error:
            raise PlanError(f"not a plan of this version: {error!r}") from error


def _parse_process(row: dict[str, Any]) -> Process:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in row.items()
    }
    probe = values["probe"]
    if probe is not None:
        values["probe"] = Probe(**{**probe, "kind": ProbeKind(probe["kind"])})
    return Process(**values)


def read_plan(path: Path) -> Plan | None:
    """Return the plan in a file; None when there is none or it is of another version."""
    try:
        return Plan.parse(path.read_text())
    except (FileNotFoundError, PlanError):
        return None


def start_levels(processes: Sequence[Process]) -> list[list[str]]:
    """Return the names in levels: each level needs only what lies in the levels before it.

    Raises:
        PlanError: Something needs what is not in the table, or needs go round in a circle.
    """
    open_needs = {process.name: set(process.needs) for process in processes}
    unknown = {need for needs in open_needs.values() for need in needs} - set(open_needs)
    if unknown:
        raise PlanError(f"needed but not planned: {', '.join(sorted(unknown))}")
    levels: list[list[str]] = []
    while open_needs:
        level = sorted(name for name, needs in open_needs.items() if not needs)
        if not level:
            raise PlanError(f"needs go round in a circle: {', '.join(sorted(open_needs))}")
        levels.append(level)
        for name in level:
            del open_needs[name]
        for needs in open_needs.values():
            needs.difference_update(level)
    return levels


def digest_of(paths: Iterable[Path], suffixes: tuple[str, ...] = ()) -> str:
    """Return a digest of files and of everything below directories; missing paths count as empty.

    Args:
        paths: Files and directories.
        suffixes: Which files of a directory count; all when empty.
    """
    digest = hashlib.sha256()
    for path in paths:
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        for file in files:
            if not file.is_file() or (suffixes and file.suffix not in suffixes):
                continue
            digest.update(str(file).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
