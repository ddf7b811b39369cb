"""From how a program ended to the status that Judge0 documents for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from kourse.runner.box.order import Ending

SIGSEGV, SIGXFSZ, SIGFPE, SIGABRT = 11, 25, 8, 6


class Status(IntEnum):
    """The statuses of Judge0, by id."""

    IN_QUEUE = 1
    PROCESSING = 2
    ACCEPTED = 3
    WRONG_ANSWER = 4
    TIME_LIMIT_EXCEEDED = 5
    COMPILATION_ERROR = 6
    RUNTIME_ERROR_SIGSEGV = 7
    RUNTIME_ERROR_SIGXFSZ = 8
    RUNTIME_ERROR_SIGFPE = 9
    RUNTIME_ERROR_SIGABRT = 10
    RUNTIME_ERROR_NZEC = 11
    RUNTIME_ERROR_OTHER = 12
    INTERNAL_ERROR = 13
    EXEC_FORMAT_ERROR = 14


DESCRIPTIONS = {
    Status.IN_QUEUE: "In Queue",
    Status.PROCESSING: "Processing",
    Status.ACCEPTED: "Accepted",
    Status.WRONG_ANSWER: "Wrong Answer",
    Status.TIME_LIMIT_EXCEEDED: "Time Limit Exceeded",
    Status.COMPILATION_ERROR: "Compilation Error",
    Status.RUNTIME_ERROR_SIGSEGV: "Runtime Error (SIGSEGV)",
    Status.RUNTIME_ERROR_SIGXFSZ: "Runtime Error (SIGXFSZ)",
    Status.RUNTIME_ERROR_SIGFPE: "Runtime Error (SIGFPE)",
    Status.RUNTIME_ERROR_SIGABRT: "Runtime Error (SIGABRT)",
    Status.RUNTIME_ERROR_NZEC: "Runtime Error (NZEC)",
    Status.RUNTIME_ERROR_OTHER: "Runtime Error (Other)",
    Status.INTERNAL_ERROR: "Internal Error",
    Status.EXEC_FORMAT_ERROR: "Exec Format Error",
}

BY_SIGNAL = {
    SIGSEGV: Status.RUNTIME_ERROR_SIGSEGV,
    SIGXFSZ: Status.RUNTIME_ERROR_SIGXFSZ,
    SIGFPE: Status.RUNTIME_ERROR_SIGFPE,
    SIGABRT: Status.RUNTIME_ERROR_SIGABRT,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use: processor and wall seconds, and memory of its own in MiB."""

    cpu_s: float = 5.0
    wall_s: float = 10.0
    memory_mib: int = 128


def verdict(
    ending: Ending, stdout: bytes, expected: bytes | None, limits: Limits, *, flooded: bool
) -> Status:
    """The status of a run, in Judge0's order: time, then signals and exit, then the output.

    Args:
        ending: How the program ended.
        stdout: What it wrote.
        expected: What it should have written, or None when that is not asked.
        limits: What it was allowed.
        flooded: Whether it wrote more than is kept.
    """
    if ending.timed_out or ending.cpu_s >= limits.cpu_s:
        return Status.TIME_LIMIT_EXCEEDED
    if flooded:
        return Status.RUNTIME_ERROR_SIGXFSZ
    if ending.signal is not None:
        return BY_SIGNAL.get(ending.signal, Status.RUNTIME_ERROR_OTHER)
    if ending.exit_code:
        return Status.RUNTIME_ERROR_NZEC
    if expected is None or normalised(stdout) == normalised(expected):
        return Status.ACCEPTED
    return Status.WRONG_ANSWER


def normalised(text: bytes) -> list[bytes]:
    """The lines without white space at their ends, and without empty lines at the end of all."""
    return [line.rstrip() for line in text.rstrip().split(b"\n")]
