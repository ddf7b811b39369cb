"""Runs programs in the sandbox: feeds them, reads what they say up to a bound, learns how they ended."""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kourse.runner.box.confine import NOBODY
from kourse.runner.box.order import Ending, Order
from kourse.runner.languages import interpreter

SERVICES = Path(__file__).resolve().parents[2]
PATIENCE_S = 2.0
"""How long after its wall limit a program's ending is waited for."""
CHUNK = 1 << 16


class SandboxUnavailable(Exception):
    """Programs cannot be confined here, or the sandbox has died."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: how it ended, and what it wrote up to the bound."""

    ending: Ending
    stdout: bytes = b""
    stderr: bytes = b""
    flooded: bool = False


class Engine:
    """One sandbox process with any number of runs in it at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self.namespaces = False

    def start(self) -> None:
        """Starts the sandbox unless it runs.

        Raises:
            SandboxUnavailable: This kernel or container lacks a layer of it.
        """
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            self._close()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            code = (
                f"import sys; sys.path.insert(0, {str(SERVICES)!r}); "
                f"from kourse.runner.box.zygote import main; main({theirs.fileno()})"
            )
            self._process = subprocess.Popen(  # noqa: S603 -- our own program
                [interpreter(), "-I", "-S", "-B", "-c", code],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={"PYTHONHASHSEED": "0", "LANG": "C.UTF-8"},
                start_new_session=True,
            )
            theirs.close()
            self._channel = ours
            ours.settimeout(60)
            greeting = ours.recv(4096)
            if not greeting:
                raise SandboxUnavailable("The sandbox ended while it was set up.")
            hello = Ending.decode(greeting)
            self.namespaces = bool(hello.exit_code)
            if hello.refused:
                raise SandboxUnavailable(hello.refused)

    def stop(self) -> None:
        """Ends the sandbox and what runs in it."""
        with self._lock:
            self._close()

    def run(self, order: Order, given: bytes, output_bytes: int = 1 << 20) -> Outcome:
        """Runs one program.

        Args:
            order: The program and its limits.
            given: All that it gets on standard input, its own source first.
            output_bytes: Bound for its output and for its errors, each.

        Raises:
            SandboxUnavailable: The program could not be confined, or the sandbox died.
        """
        self.start()
        with _Pipes() as pipes:
            with self._lock:
                if self._channel is None:
                    raise SandboxUnavailable("The sandbox is stopped.")
                try:
                    socket.send_fds(self._channel, [order.encode()], pipes.theirs)
                except OSError as error:
                    raise SandboxUnavailable("The sandbox has died.") from error
            pipes.close_theirs()
            outcome = pipes.pump(given, output_bytes, time.monotonic() + order.wall_s + PATIENCE_S)
        if outcome.ending.refused:
            raise SandboxUnavailable(outcome.ending.refused)
        return outcome

    def _close(self) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._channel = None


class _Pipes:
    """The four pipes of a run."""

    def __init__(self) -> None:
        given, self._given = os.pipe()
        self._out, out = os.pipe()
        self._err, err = os.pipe()
        self._report, report = os.pipe()
        self.theirs = [given, out, err, report]
        if os.geteuid() == 0:
            for descriptor in self.theirs[:3]:
                os.fchown(descriptor, NOBODY, NOBODY)
        self._ours = {self._given, self._out, self._err, self._report}
        for descriptor in self._ours:
            os.set_blocking(descriptor, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_theirs()
        for descriptor in self._ours:
            os.close(descriptor)

    def close_theirs(self) -> None:
        while self.theirs:
            os.close(self.theirs.pop())

    def pump(self, given: bytes, bound: int, until: float) -> Outcome:
        left, flooded = memoryview(given), False
        found: dict[int, bytearray] = {d: bytearray() for d in self._ours - {self._given}}
        with selectors.DefaultSelector() as selector:
            selector.register(self._given, selectors.EVENT_WRITE)
            for descriptor in found:
                selector.register(descriptor, selectors.EVENT_READ)
            while self._report in self._ours and (self._ours & set(found)):
                ready = selector.select(max(0.0, until - time.monotonic()))
                if not ready:
                    raise SandboxUnavailable("The sandbox does not report an ending.")
                for key, _ in ready:
                    descriptor = key.fd
                    if descriptor == self._given:
                        left = self._feed(left)
                        finished = not left
                    else:
                        part = os.read(descriptor, CHUNK)
                        found[descriptor] += part
                        over = descriptor != self._report and len(found[descriptor]) > bound
                        flooded = flooded or over
                        finished = not part or over
                    if finished:
                        selector.unregister(descriptor)
                        os.close(descriptor)
                        self._ours.discard(descriptor)
                if self._report not in self._ours:
                    break
        return self._outcome(found, bound, flooded=flooded)

    def _feed(self, left: memoryview) -> memoryview:
        try:
            return left[os.write(self._given, left[:CHUNK]) :]
        except BrokenPipeError:
            return left[:0]
        except BlockingIOError:
            return left

    def _outcome(self, found: dict[int, bytearray], bound: int, *, flooded: bool) -> Outcome:
        for descriptor in (self._out, self._err):
            while descriptor in self._ours and len(found[descriptor]) <= bound:
                try:
                    part = os.read(descriptor, CHUNK)
                except BlockingIOError:
                    break
                if not part:
                    break
                found[descriptor] += part
            flooded = flooded or len(found[descriptor]) > bound
        report = bytes(found[self._report])
        if not report:
            raise SandboxUnavailable("The sandbox ended without a report.")
        return Outcome(
            Ending.decode(report),
            bytes(found[self._out][:bound]),
            bytes(found[self._err][:bound]),
            flooded,
        )
