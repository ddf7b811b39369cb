"""Brings a stack up and takes it down; what the commands and the tests call."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from hack.install.packages import install_packages
from hack.install.tools import build_tools
from hack.stack import ports
from hack.stack.endpoints import Endpoints, endpoints
from hack.stack.layout import Layout, write_private
from hack.stack.leftovers import end_processes, find_leftovers, is_alive
from hack.stack.process import Plan
from hack.stack.profiles import Profile, locate, make_plan
from hack.stack.record import SETTLED, Entry, Record, read_record
from hack.stack.site import PYTHON, Site, python_environment
from hack.stack.supervisor import lock_supervisor, supervisor_digest

READY_SECONDS = 180.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.05
HOPELESS_FAILURES = 6

Notice = Callable[[str, str], None]


class StackError(Exception):
    """The stack did not do what was asked; the text says what to look at."""


def up(layout: Layout, profile: Profile, notice: Notice) -> Site:
    """Bring the processes of a profile up and wait until all of them serve.

    What runs already and has not changed is left alone; what an interrupted run left is cleared.

    Args:
        layout: The state directory.
        profile: How much to run.
        notice: Told of every process that becomes ready: its name and a text.

    Raises:
        PrerequisiteMissing: The machine lacks something that cannot be installed from here.
        StackError: Something does not become ready.
    """
    install_packages()
    build_tools()
    with layout.exclusive():
        site = locate(layout, _ports_in_use(layout))
        plan = make_plan(site, profile)
        before = _hand_over(layout, plan)
    _wait_until_settled(layout, plan, before, notice)
    return site


def down(layout: Layout) -> int:
    """Stop everything of a stack, wait until it is gone, and free its ports; data are kept.

    Returns:
        How many processes ran.
    """
    if not layout.root.is_dir():
        return 0
    with layout.exclusive():
        record = read_record(layout.record_file)
        running = 0
        if record is not None:
            running = sum(is_alive(entry.pid, entry.started) for entry in record.entries.values())
        if not _supervisor_stopped(layout):
            running += 1
            _stop_supervisor(layout, record)
        running += _clear_leftovers(layout)
        layout.record_file.unlink(missing_ok=True)
        ports.release(layout)
    return running


def ensure(state_dir: Path, profile: Profile = Profile.INFRA) -> Endpoints:
    """Bring a stack up unless it is, and return where its parts are.

    Args:
        state_dir: Its state directory, made if missing.
        profile: How much to run.

    Raises:
        PrerequisiteMissing: The machine lacks something that cannot be installed from here.
        StackError: Something does not become ready.
    """
    return endpoints(up(Layout(state_dir.absolute()), profile, lambda _name, _text: None))


def stop(state_dir: Path) -> None:
    """Take down the stack of a state directory; nothing happens when it is down."""
    down(Layout(state_dir.absolute()))


def _ports_in_use(layout: Layout) -> frozenset[int]:
    """Return the ports on which processes of this very stack listen."""
    record = read_record(layout.record_file)
    if record is None or not layout.plan_file.exists():
        return frozenset()
    alive = {name for name, row in record.entries.items() if is_alive(row.pid, row.started)}
    rows = Plan.parse(layout.plan_file.read_text()).processes
    return frozenset(port for row in rows if row.name in alive for port in row.ports)


def _hand_over(layout: Layout, plan: Plan) -> frozenset[tuple[str, int]]:
    """Give the plan to the supervisor: the one that runs, or a new one.

    Returns:
        What served before already, by name and process id.
    """
    record = read_record(layout.record_file)
    if _supervisor_stopped(layout):
        _clear_leftovers(layout)
        record = None
    elif record is None or record.supervisor_digest != supervisor_digest():
        _stop_supervisor(layout, record)
        record = None
    write_private(layout.plan_file, plan.dump())
    if record is None:
        layout.record_file.unlink(missing_ok=True)
        _start_supervisor(layout)
    elif record.revision != plan.revision:
        os.kill(record.supervisor, signal.SIGHUP)
    if record is None:
        return frozenset()
    settled = ((name, row) for name, row in record.entries.items() if row.phase in SETTLED)
    return frozenset((name, row.pid) for name, row in settled)


def _start_supervisor(layout: Layout) -> None:
    """Start a supervisor in a session of its own, which outlives this process."""
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


def _supervisor_stopped(layout: Layout) -> bool:
    lock = lock_supervisor(layout)
    if lock is None:
        return False
    lock.close()
    return True


def _stop_supervisor(layout: Layout, record: Record | None) -> None:
    """Ask the supervisor to stop everything and wait for it; kill it when it does not."""
    deadline = time.monotonic() + STOP_SECONDS
    asked = False
    while not _supervisor_stopped(layout):
        record = record or read_record(layout.record_file)
        if record is not None and not asked:
            os.kill(record.supervisor, signal.SIGTERM)
            asked = True
        if time.monotonic() > deadline:
            if record is None:
                raise StackError(f"A process holds {layout.supervisor_lock}: stop it.")
            end_processes([record.supervisor], seconds=0)
        time.sleep(POLL_SECONDS)
    if record is not None:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(record.supervisor, 0)


def _clear_leftovers(layout: Layout) -> int:
    """End what a killed supervisor left running; return how many processes that was."""
    if not layout.plan_file.exists():
        return 0
    plan = Plan.parse(layout.plan_file.read_text())
    programs = {path for process in plan.processes for path in process.programs}
    found = find_leftovers(plan.state_id, layout.root / "data", programs)
    end_processes(found, seconds=10.0)
    return len(found)


def _wait_until_settled(
    layout: Layout, plan: Plan, before: frozenset[tuple[str, int]], notice: Notice
) -> None:
    """Wait until everything of a plan serves, telling of what did not before.

    Raises:
        StackError: Something ends again and again, or it takes too long.
    """
    started = time.monotonic()
    told: set[str] = set()
    while time.monotonic() - started < READY_SECONDS:
        record = read_record(layout.record_file)
        if record is not None and record.revision == plan.revision:
            for name, entry in record.entries.items():
                if entry.phase in SETTLED and name not in told:
                    told.add(name)
                    if (name, entry.pid) not in before:
                        notice(name, f"{entry.phase:<7}{entry.address}")
            if record.settled and len(told) == len(plan.processes):
                return
            _give_up_on_hopeless(layout, record)
        time.sleep(POLL_SECONDS)
    waiting = [process.name for process in plan.processes if process.name not in told]
    raise StackError(f"Not ready in {READY_SECONDS:.0f} s: {', '.join(waiting)}. See `make logs`.")


def _give_up_on_hopeless(layout: Layout, record: Record) -> None:
    for name, entry in record.entries.items():
        if entry.failures >= HOPELESS_FAILURES:
            raise StackError(_failure(layout, name, entry))


def _failure(layout: Layout, name: str, entry: Entry) -> str:
    log = layout.log(name)
    lines = log.read_text(errors="replace").splitlines()[-8:] if log.exists() else []
    shown = "".join(f"\n    {line}" for line in lines)
    return (
        f"{name} ended {entry.failures} times (exit code {entry.exit_code}):{shown}\n  See {log}."
    )
