"""Brings a stack up and takes it down; what the commands and the tests call."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hack.install.keycloak import install_keycloak
from hack.install.packages import install_packages
from hack.install.tools import STACK_TOOLS, TOXIPROXY, build_tools
from hack.install.zipkin import install_zipkin
from hack.stack import ports
from hack.stack.endpoints import Endpoints, endpoints
from hack.stack.handover import (
    POLL_SECONDS,
    Handover,
    StackError,
    clear_leftovers,
    hand_over,
    stop_supervisor,
    supervisor_stopped,
)
from hack.stack.layout import Layout
from hack.stack.leftovers import is_alive
from hack.stack.process import Plan, read_plan
from hack.stack.profiles import IdentityBackend, Profile, locate, make_plan
from hack.stack.record import SETTLED, Entry, Record, read_record
from hack.stack.site import Site

READY_SECONDS = 600.0
HOPELESS_FAILURES = 6

SUPERVISORS = 3

Notice = Callable[[str, str], None]


class SupervisorLost(Exception):
    """The supervisor died before a plan was carried out."""


def up(
    layout: Layout,
    profile: Profile,
    notice: Notice,
    backend: IdentityBackend = IdentityBackend.LOCAL,
) -> Site:
    """Bring the processes of a profile up and wait until all of them serve.

    What runs already and has not changed is left alone; what an interrupted run left is cleared.

    Args:
        layout: The state directory.
        profile: How much to run.
        notice: Told of every process that becomes ready: its name and a text.
        backend: Where identity keeps credentials.

    Raises:
        PrerequisiteMissing: The machine lacks something that cannot be installed from here.
        StackError: Something does not become ready.
    """
    install_packages()
    if profile is Profile.KEYCLOAK or backend is IdentityBackend.KEYCLOAK:
        install_keycloak()
    if profile is Profile.TRACED:
        install_zipkin()
    build_tools((*STACK_TOOLS, TOXIPROXY) if profile is Profile.CHAOS else STACK_TOOLS)
    with layout.exclusive():
        site = locate(layout, _ports_in_use(layout))
        handover = hand_over(layout, make_plan(site, profile, backend))
    _see_through(layout, handover, notice)
    return site


def carry_out(layout: Layout, plan: Plan, notice: Notice) -> None:
    """Have a plan carried out and wait until everything in it serves.

    Args:
        layout: The state directory.
        plan: What shall run there.
        notice: Told of every process that becomes ready: its name and a text.

    Raises:
        StackError: Something does not become ready.
    """
    with layout.exclusive():
        handover = hand_over(layout, plan)
    _see_through(layout, handover, notice)


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
        if not supervisor_stopped(layout):
            running += 1
            stop_supervisor(layout, record)
        clear_leftovers(layout, record)
        for path in (layout.record_file, layout.plan_file, layout.environment_file):
            path.unlink(missing_ok=True)
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
    plan = read_plan(layout.plan_file)
    if record is None or plan is None:
        return frozenset()
    alive = {name for name, row in record.entries.items() if is_alive(row.pid, row.started)}
    return frozenset(port for row in plan.processes if row.name in alive for port in row.ports)


def _see_through(layout: Layout, handover: Handover, notice: Notice) -> None:
    """Wait until a plan is carried out; give it to another supervisor when one is killed."""
    for _ in range(SUPERVISORS):
        try:
            _wait_until_settled(layout, handover, notice)
        except SupervisorLost:
            with layout.exclusive():
                handover = hand_over(layout, handover.plan)
        else:
            return
    raise StackError("The supervisor ends again and again. See `make logs S=supervisor`.")


def _wait_until_settled(layout: Layout, handover: Handover, notice: Notice) -> None:
    """Wait until everything of a plan serves, telling of what did not before.

    Raises:
        StackError: Something ends again and again, it takes too long, or another command
            has changed the stack.
    """
    deadline = time.monotonic() + READY_SECONDS
    told = set(handover.before)
    while True:
        record = _record_of(layout, handover.plan)
        entries = record.entries if record is not None else {}
        for name, entry in entries.items():
            if entry.phase in SETTLED and (name, entry.pid) not in told:
                told.add((name, entry.pid))
                notice(name, f"{entry.phase:<7}{entry.address}")
        if record is not None and record.settled:
            return
        _give_up_on_hopeless(layout, entries)
        if time.monotonic() > deadline:
            waiting = [name for name, entry in entries.items() if entry.phase not in SETTLED]
            raise StackError(f"Not ready in time: {', '.join(waiting)}. See `make logs`.")
        time.sleep(POLL_SECONDS)


def _record_of(layout: Layout, plan: Plan) -> Record | None:
    """Return the record of a plan's carrying-out; None as long as its turn has not come.

    Raises:
        StackError: Another command has stopped or changed the stack.
        SupervisorLost: The supervisor has died.
    """
    record = read_record(layout.record_file)
    if record is None or not is_alive(record.supervisor, record.supervisor_started):
        if not layout.plan_file.exists():
            raise StackError("Another command has stopped the stack meanwhile.")
        raise SupervisorLost
    if record.turn < plan.turn:
        return None
    if record.revision != plan.revision:
        raise StackError("Another command has changed the stack meanwhile: run this again.")
    return record


def _give_up_on_hopeless(layout: Layout, entries: Mapping[str, Entry]) -> None:
    for name, entry in entries.items():
        if entry.phase not in SETTLED and entry.failures >= HOPELESS_FAILURES:
            raise StackError(_failure(layout, name, entry))


def _failure(layout: Layout, name: str, entry: Entry) -> str:
    log = layout.log(name)
    lines = log.read_text(errors="replace").splitlines()[-8:] if log.exists() else []
    shown = "".join(f"\n    {line}" for line in lines)
    return (
        f"{name} ended {entry.failures} times (exit code {entry.exit_code}):{shown}\n  See {log}."
    )
