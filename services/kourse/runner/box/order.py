"""What the service orders from the sandbox, and what it gets back; no word of a learner's is in it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Order:
    """One program to run.

    Attributes:
        argv: What to execute, or nothing for Python in the sandbox's own interpreter.
        readable: Paths below which the program may read.
        cpu_s: Processor seconds, whole.
        wall_s: Seconds until it is killed.
        data_bytes: Private memory that it may have.
    """

    argv: list[str] = field(default_factory=list)
    readable: list[str] = field(default_factory=list)
    cpu_s: int = 5
    wall_s: float = 10.0
    data_bytes: int = 128 << 20

    def encode(self) -> bytes:
        """The order as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, text: bytes) -> Order:
        """The order that ``encode`` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended.

    Attributes:
        exit_code: What it exited with, or None when a signal ended it.
        signal: The signal that ended it, or None.
        cpu_s: Processor seconds used.
        wall_s: Seconds from start to end.
        memory_kib: Greatest resident memory.
        timed_out: Whether it was killed at its wall limit.
        refused: Why the sandbox could not be set up; "" when it was.
    """

    exit_code: int | None = None
    signal: int | None = None
    cpu_s: float = 0.0
    wall_s: float = 0.0
    memory_kib: int = 0
    timed_out: bool = False
    refused: str = ""

    def encode(self) -> bytes:
        """The ending as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, text: bytes) -> Ending:
        """The ending that ``encode`` wrote."""
        return cls(**json.loads(text))
