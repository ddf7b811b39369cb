"""Keeps one process of the plan running: waits for its needs, starts it, starts it again."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from hack.stack.layout import Layout, write_private
from hack.stack.leftovers import MARKER, end_processes, find_working_in, start_ticks
from hack.stack.probes import serves
from hack.stack.process import Process
from hack.stack.record import Entry, Phase

FIRST_DELAY, LONGEST_DELAY = 0.1, 10.0
PROBE_SECONDS = 0.1
STEADY_SECONDS = 10.0

log = logging.getLogger("kourse.stack")


def restart_delay(failures: int) -> float:
    """Return how long to wait before a start, in seconds.

    Args:
        failures: How often in a row the process ended before it had run steadily; at least 1.
    """
    return min(FIRST_DELAY * 2.0 ** min(failures - 1, 10), LONGEST_DELAY)


class Child:
    """One process and its entry in the record."""

    def __init__(
        self, process: Process, layout: Layout, state_id: str, changed: Callable[[], None]
    ) -> None:
        """Prepare; nothing starts before ``run``.

        Args:
            process: The row of the plan.
            layout: Where logs and stamps are.
            state_id: The marker of the state directory.
            changed: Called whenever the entry has changed.
        """
        self.process = process
        self.entry = Entry(address=process.address, digest=process.digest)
        self.settled = asyncio.Event()
        self._layout = layout
        self._state_id = state_id
        self._changed = changed
        self._popen: subprocess.Popen[bytes] | None = None
        self._exited = asyncio.Event()
        self._hurried = asyncio.Event()

    async def run(self, needs: Mapping[str, asyncio.Event]) -> None:
        """Keep the process running until cancelled; a task ends when it is done.

        Args:
            needs: For each need, the event that it is ready or done.
        """
        if self.process.once and self._stamped():
            self._enter(Phase.DONE)
            return
        for need in self.process.needs:
            await needs[need].wait()
        while not await self._run_once():
            self.entry.restarts += 1
            self._hurried.clear()
            self._enter(Phase.BACKOFF)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(restart_delay(self.entry.failures)):
                    await self._hurried.wait()

    def hurry(self, process: Process) -> None:
        """Forgive failures: a process that waits for its next start is started at once.

        Args:
            process: The row of a new plan; its digest is that of the row before.
        """
        self.process = process
        self.entry.failures = 0
        self._hurried.set()

    async def stop(self) -> None:
        """Stop the process: ask, wait, kill; whatever it started goes with it."""
        if self._popen is not None and not self._exited.is_set():
            self._enter(Phase.STOPPING)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._popen.pid, self.process.stop_signal)
            try:
                async with asyncio.timeout(self.process.stop_seconds):
                    await self._exited.wait()
            except TimeoutError:
                log.warning("%s does not stop: killing it", self.process.name)
                _kill_group(self._popen.pid)
                await self._exited.wait()
            log.info("%s stopped", self.process.name)
        self._forget()
        self._enter(Phase.STOPPED)

    async def _run_once(self) -> bool:
        """Start the process and return when it has ended; True when its work is done."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        became_ready = False
        try:
            await asyncio.to_thread(self._end_predecessor)
            self._spawn()
            became_ready = await self._await_ready()
            await self._exited.wait()
            self._forget()
            log.info("%s ended with %s", self.process.name, self.entry.exit_code)
            if self.process.once and self.entry.exit_code == 0:
                write_private(self._stamp_file, self.process.digest)
                self._enter(Phase.DONE)
                return True
        except OSError as error:  # no such program, a full disk: both may be mended meanwhile
            log.warning("%s cannot run: %s", self.process.name, error)
        steady = became_ready and loop.time() - began > STEADY_SECONDS
        self.entry.failures = 1 if steady else self.entry.failures + 1
        return False

    def _spawn(self) -> None:
        """Start the process in a session of its own, its output appended to its log."""
        Path(self.process.cwd).mkdir(parents=True, exist_ok=True)
        self._exited.clear()
        with self._layout.log(self.process.name).open("ab") as output:
            self._popen = subprocess.Popen(
                self.process.argv,
                env={**self.process.env, MARKER: self._state_id},
                cwd=self.process.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.entry.pid = self._popen.pid
        self.entry.started = start_ticks(self._popen.pid)
        self._watch(self._popen)
        log.info("%s started as %d", self.process.name, self._popen.pid)
        self._enter(Phase.STARTING)

    def _watch(self, popen: subprocess.Popen[bytes]) -> None:
        """Have the loop tell when the process ends; kills what it leaves behind and reaps it."""
        loop = asyncio.get_running_loop()
        descriptor = os.pidfd_open(popen.pid)

        def ended() -> None:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            _kill_group(popen.pid)  # before the reaping: until then nobody can get the same id
            self.entry.exit_code = popen.wait()
            self._exited.set()

        loop.add_reader(descriptor, ended)

    async def _await_ready(self) -> bool:
        """Ask until the process serves; False when it ended before, or is a task."""
        if self.process.once:
            return False
        probe = self.process.probe
        while not self._exited.is_set():
            if probe is None or await serves(probe):
                self._enter(Phase.READY)
                return True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PROBE_SECONDS):
                    await self._exited.wait()
        return False

    def _forget(self) -> None:
        self._popen = None
        self.entry.pid = self.entry.started = 0

    def _end_predecessor(self) -> None:
        """End what an earlier start left working in this process's directory; drop stale files."""
        found = find_working_in(Path(self.process.cwd), self.process.programs)
        end_processes(found, {}, seconds=0)
        for name in self.process.stale_files:
            Path(name).unlink(missing_ok=True)

    def _enter(self, phase: Phase) -> None:
        self.entry.phase = phase
        if phase in {Phase.READY, Phase.DONE}:
            self.settled.set()
        self._changed()

    @property
    def _stamp_file(self) -> Path:
        return self._layout.directory("data", "done") / self.process.name

    def _stamped(self) -> bool:
        return self._stamp_file.exists() and self._stamp_file.read_text() == self.process.digest


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
