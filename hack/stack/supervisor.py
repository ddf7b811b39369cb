"""The one process that carries out a plan: ``python -m hack.stack.supervisor STATE_DIR``.

It is told what to do by files and signals, which still work when a command that told it is killed:
SIGHUP reads the plan again, SIGTERM stops everything. What it does is in the record file.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import IO

from hack.stack.child import Child
from hack.stack.layout import Layout, write_private
from hack.stack.leftovers import end_processes, find_leftovers, start_ticks
from hack.stack.process import Plan, digest_of, start_levels
from hack.stack.record import Record

LOG_BYTES = 8 * 1024 * 1024
HOUSEKEEPING_SECONDS = 2.0
RECORD_SECONDS = 0.02
LOCK_TRIES = 50

log = logging.getLogger("kourse.stack")


def supervisor_digest() -> str:
    """Return a digest of the code a supervisor runs; another one asks for another supervisor."""
    names = ("supervisor", "child", "probes", "process", "record", "leftovers", "layout")
    return digest_of(Path(__file__).with_name(f"{name}.py") for name in names)[:16]


class Supervisor:
    """Carries out the plan in a state directory until told to stop."""

    def __init__(self, layout: Layout) -> None:
        """Prepare; nothing starts before ``run``.

        Args:
            layout: The state directory, which holds the plan.
        """
        self._layout = layout
        self._children: dict[str, Child] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._plan = Plan(layout.identity())
        self._record = Record(os.getpid(), start_ticks(os.getpid()), supervisor_digest())
        self._reload = asyncio.Event()
        self._dirty = asyncio.Event()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Carry out the plan, and every new plan, until SIGTERM or until the directory is gone."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        self._reload.set()
        workers = [self._follow_plans(), self._write_records(), self._keep_house()]
        running = [asyncio.create_task(worker) for worker in workers]
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait([stopped, *running], return_when=asyncio.FIRST_COMPLETED)
        await _cancel(running)
        await self._stop_children(list(self._children))
        self._write_record()
        for task in running:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _follow_plans(self) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            await self._apply(Plan.parse(self._layout.plan_file.read_text()))

    async def _apply(self, plan: Plan) -> None:
        """Stop what the plan no longer has or has changed; start what is new; leave the rest."""
        start_levels(plan.processes)
        log.info("plan %s: %d processes", plan.revision, len(plan.processes))
        wanted = {process.name: process.digest for process in plan.processes}
        await self._stop_children(
            [name for name, c in self._children.items() if wanted.get(name) != c.process.digest]
        )
        self._plan = plan
        new = [process for process in plan.processes if process.name not in self._children]
        for process in plan.processes:
            if process in new:
                child = Child(process, self._layout, plan.state_id, self._dirty.set)
                self._children[process.name] = child
            else:
                self._children[process.name].hurry(process)
        events = {name: child.settled for name, child in self._children.items()}
        for process in new:
            child = self._children[process.name]
            self._tasks[process.name] = asyncio.create_task(child.run(events))
        self._record.revision, self._record.turn = plan.revision, plan.turn
        self._dirty.set()

    async def _stop_children(self, names: list[str]) -> None:
        """Stop children, those first that others do not need."""
        rows = [self._children[name].process for name in self._children]
        for level in reversed(start_levels(rows)):
            chosen = [name for name in level if name in names]
            await _cancel([self._tasks.pop(name) for name in chosen if name in self._tasks])
            await asyncio.gather(*(self._children[name].stop() for name in chosen))
        for name in names:
            del self._children[name]

    async def _write_records(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            self._write_record()
            await asyncio.sleep(RECORD_SECONDS)

    def _write_record(self) -> None:
        """Write the record; a full disk delays it and ends nothing."""
        order = [process.name for process in self._plan.processes]
        names = [name for name in order if name in self._children]
        self._record.entries = {name: self._children[name].entry for name in names}
        try:
            write_private(self._layout.record_file, self._record.dump())
        except OSError as error:
            log.warning("the record cannot be written: %s", error)
            self._dirty.set()

    async def _keep_house(self) -> None:
        """Bound the logs; end everything when the state directory has been deleted."""
        while True:
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
            if not self._layout.supervisor_lock.exists():
                log.warning("the state directory is gone: stopping")
                self._stop.set()
                return
            for path in (self._layout.root / "log").glob("*.log"):
                with contextlib.suppress(OSError):
                    bound_log(path, LOG_BYTES)


def bound_log(path: Path, limit: int) -> None:
    """Move a log's text to ``<name>.1`` when it is longer than a limit, in bytes.

    The file itself stays: its writer appends to it and need not know.
    """
    if path.stat().st_size > limit:
        shutil.copyfile(path, path.with_name(f"{path.name}.1"))
        os.truncate(path, 0)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def lock_supervisor(layout: Layout) -> IO[str] | None:
    """Take the lock that says a supervisor lives.

    Returns:
        The open file, which holds the lock until it is closed; None when another process has it.
    """
    handle = layout.supervisor_lock.open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


def _lock_patiently(layout: Layout) -> IO[str] | None:
    """Take the lock, even when a command holds it for a moment to see whether it is held."""
    for _ in range(LOCK_TRIES):
        if (lock := lock_supervisor(layout)) is not None:
            return lock
        time.sleep(RECORD_SECONDS)
    return None


def main() -> int:
    """Run the supervisor of the state directory named on the command line.

    Returns:
        0 after an orderly stop, 1 when the directory has a supervisor already.
    """
    layout = Layout(Path(sys.argv[1]))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    with contextlib.ExitStack() as stack:
        lock = _lock_patiently(layout)
        if lock is None:
            return 1
        stack.enter_context(lock)
        plan = Plan.parse(layout.plan_file.read_text())
        programs = {path for process in plan.processes for path in process.programs}
        asyncio.run(Supervisor(layout).run())
        data = layout.root / "data"
        end_processes(find_leftovers(plan.state_id, data, programs), {}, seconds=0)
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
