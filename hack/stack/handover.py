"""Gives plans to the supervisor of a state directory, starts it and ends it."""

import contextlib
import dataclasses
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from hack.stack.layout import Layout, write_private
from hack.stack.leftovers import end_processes, find_leftovers, is_alive
from hack.stack.process import Plan, read_plan
from hack.stack.record import SETTLED, Record, read_record
from hack.stack.site import PYTHON, python_environment
from hack.stack.supervisor import lock_supervisor, supervisor_digest

BEGIN_SECONDS = 120.0
STOP_SECONDS = 60.0
LEFTOVER_SECONDS = 3.0
POLL_SECONDS = 0.05


class StackError(Exception):
    """The stack did not do what was asked; the text says what to look at."""


@dataclass(frozen=True)
class Handover:
    """A plan in the supervisor's hands.

    Attributes:
        plan: The plan, with its turn.
        before: What served already, by name and process id.
    """

    plan: Plan
    before: frozenset[tuple[str, int]] = frozenset()


def hand_over(layout: Layout, plan: Plan) -> Handover:
    """Give a plan to the supervisor: the one that runs, or a new one.

    Raises:
        StackError: A supervisor cannot be stopped or started.
    """
    record = read_record(layout.record_file)
    if supervisor_stopped(layout):
        clear_leftovers(layout, record)
        record = None
    elif record is None or not _is_current(record):
        stop_supervisor(layout, record)
        clear_leftovers(layout, record)
        record = None
    last = read_plan(layout.plan_file)
    plan = dataclasses.replace(plan, turn=1 if last is None else last.turn + 1)
    write_private(layout.plan_file, plan.dump())
    if record is None:
        layout.record_file.unlink(missing_ok=True)
        _start_supervisor(layout)
        return Handover(plan)
    _tell(record, signal.SIGHUP)
    settled = ((name, row) for name, row in record.entries.items() if row.phase in SETTLED)
    return Handover(plan, frozenset((name, row.pid) for name, row in settled))


def _is_current(record: Record) -> bool:
    """Tell whether a record's supervisor runs, and this version of the code."""
    alive = is_alive(record.supervisor, record.supervisor_started)
    return alive and record.supervisor_digest == supervisor_digest()


def _start_supervisor(layout: Layout) -> None:
    """Start a supervisor in a session of its own and wait until it has begun.

    Raises:
        StackError: It does not begin.
    """
    environment = python_environment(layout.root)
    with layout.log("supervisor").open("ab") as output, Path(os.devnull).open() as nothing:
        os.posix_spawn(
            PYTHON,
            [PYTHON, "-m", "hack.stack.supervisor", str(layout.root)],
            environment,
            setsid=True,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, nothing.fileno(), 0),
                (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
            ],
        )
    deadline = time.monotonic() + BEGIN_SECONDS
    while read_record(layout.record_file) is None:
        if time.monotonic() > deadline:
            raise StackError(f"The supervisor does not start. See {layout.log('supervisor')}.")
        time.sleep(POLL_SECONDS)


def _tell(record: Record, number: int) -> None:
    """Send a signal to the supervisor that wrote a record, if it still runs."""
    if is_alive(record.supervisor, record.supervisor_started):
        os.kill(record.supervisor, number)


def supervisor_stopped(layout: Layout) -> bool:
    """Tell whether no supervisor works in a state directory."""
    lock = lock_supervisor(layout)
    if lock is None:
        return False
    lock.close()
    return True


def stop_supervisor(layout: Layout, record: Record | None) -> None:
    """Ask the supervisor to stop everything and wait until it has; kill it when it does not.

    Raises:
        StackError: Something else than a supervisor holds the lock.
    """
    deadline = time.monotonic() + STOP_SECONDS
    asked = killed = False
    while not supervisor_stopped(layout):
        record = record or read_record(layout.record_file)
        if record is not None and not asked:
            _tell(record, signal.SIGTERM)
            asked = True
        if time.monotonic() > deadline:
            if record is None or killed:
                raise StackError(f"A process holds {layout.supervisor_lock}: stop it.")
            _tell(record, signal.SIGKILL)
            killed, deadline = True, time.monotonic() + BEGIN_SECONDS
        time.sleep(POLL_SECONDS)
    if record is not None:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(record.supervisor, 0)


def clear_leftovers(layout: Layout, record: Record | None) -> None:
    """End what a killed supervisor left running: orderly where the record says what it is."""
    plan = read_plan(layout.plan_file) or Plan(layout.identity())
    programs = {path for process in plan.processes for path in process.programs}
    entries = record.entries if record is not None else {}
    asked = {
        entries[process.name].pid: process.stop_signal
        for process in plan.processes
        if process.name in entries
    }
    found = find_leftovers(plan.state_id, layout.root / "data", programs)
    end_processes(found, asked, LEFTOVER_SECONDS)
