"""Judges one submission: checks the source, runs it, compares outside of the sandbox."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from kourse.runner.engine import Engine, Outcome, SandboxUnavailable
from kourse.runner.languages import Language
from kourse.runner.verdicts import Limits, Status, verdict

CHECK_LIMITS = Limits(cpu_s=10.0, wall_s=60.0, memory_mib=256)
CHECKED_SOURCES = 64
"""Sources whose check is remembered, as the tests of one question come one after the other."""
CLASSES_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be judged; ``expected`` is None when the output is not to be compared."""

    language: Language
    source: bytes
    stdin: bytes = b""
    expected: bytes | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of it; the fields are those of Judge0, times in seconds and memory in KiB."""

    status: Status
    stdout: bytes = b""
    stderr: bytes = b""
    compile_output: bytes = b""
    message: str = ""
    exit_code: int | None = None
    exit_signal: int | None = None
    time_s: float = 0.0
    wall_s: float = 0.0
    memory_kib: int = 0


@dataclass(frozen=True, slots=True)
class Checked:
    """A source's check: the program to run, or why there is none."""

    program: bytes | None
    failure: Judgement | None = None


class Judge:
    """Judges submissions in an engine; may be used by several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._checked: OrderedDict[tuple[int, bytes], Checked] = OrderedDict()
        self._lock = threading.Lock()

    def judge(self, work: Work) -> Judgement:
        """The judgement of a submission; an internal error when the sandbox fails it."""
        try:
            checked = self._check(work)
            if checked.program is None:
                return checked.failure or Judgement(Status.INTERNAL_ERROR)
            return self._execute(work, checked.program)
        except SandboxUnavailable as error:
            return Judgement(Status.INTERNAL_ERROR, message=str(error))

    def _execute(self, work: Work, program: bytes) -> Judgement:
        limits = work.limits
        order = work.language.order(
            work.language.execute, limits.cpu_s, limits.wall_s, limits.memory_mib
        )
        outcome = self._engine.run(order, framed(program) + work.stdin)
        status = verdict(
            outcome.ending, outcome.stdout, work.expected, limits, flooded=outcome.flooded
        )
        return _judgement(status, outcome)

    def _check(self, work: Work) -> Checked:
        key = (work.language.id, hashlib.sha256(work.source).digest())
        with self._lock:
            if key in self._checked:
                self._checked.move_to_end(key)
                return self._checked[key]
        checked = self._check_anew(work)
        with self._lock:
            self._checked[key] = checked
            while len(self._checked) > CHECKED_SOURCES:
                self._checked.popitem(last=False)
        return checked

    def _check_anew(self, work: Work) -> Checked:
        language, limits = work.language, CHECK_LIMITS
        order = language.order(language.check, limits.cpu_s, limits.wall_s, limits.memory_mib)
        outcome = self._engine.run(order, framed(work.source), CLASSES_BYTES)
        ending = outcome.ending
        if ending.timed_out:
            raise SandboxUnavailable("The check of the source took too long.")
        if ending.exit_code != 0 or outcome.flooded:
            said = outcome.stderr or outcome.stdout or b"The source could not be compiled."
            return Checked(None, Judgement(Status.COMPILATION_ERROR, compile_output=said[:65536]))
        return Checked(outcome.stdout if language.compiles else work.source)


def framed(program: bytes) -> bytes:
    """The program behind its length in eight bytes, as the harnesses read it."""
    return len(program).to_bytes(8, "big") + program


def _judgement(status: Status, outcome: Outcome) -> Judgement:
    ending = outcome.ending
    return Judgement(
        status,
        stdout=outcome.stdout,
        stderr=outcome.stderr,
        exit_code=ending.exit_code,
        exit_signal=ending.signal,
        time_s=ending.cpu_s,
        wall_s=ending.wall_s,
        memory_kib=ending.memory_kib,
    )
