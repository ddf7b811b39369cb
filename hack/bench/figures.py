"""What a benchmark reports, and the calibration that tells one machine from another."""

from __future__ import annotations

import hashlib
import os
import platform
import tempfile
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Literal


@dataclass(frozen=True)
class Figure:
    """One measured value beside its target.

    Attributes:
        name: What was measured.
        value: The measured value.
        unit: Its unit; empty for a ratio.
        target: What it should be at most or at least.
        bound: Whether the target is an upper or a lower bound.
        detail: What stands behind the value: ranges, absolute figures.
    """

    name: str
    value: float
    unit: str
    target: float
    bound: Literal["at most", "at least"] = "at most"
    detail: str = ""

    @property
    def holds(self) -> bool:
        """Whether the value is on the right side of the target."""
        if self.bound == "at most":
            return self.value <= self.target
        return self.value >= self.target

    def row(self) -> dict[str, Any]:
        """The figure for machines."""
        return {**vars(self), "holds": self.holds}


def calibration() -> dict[str, float | str | int]:
    """How fast this machine is: hashing 64 MiB, one durable write, and what it is made of."""
    block = bytes(1 << 20)
    begun = perf_counter()
    digest = hashlib.sha256()
    for _ in range(64):
        digest.update(block)
    hashed = perf_counter() - begun
    with tempfile.TemporaryFile() as file:
        begun = perf_counter()
        for _ in range(20):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        synced = (perf_counter() - begun) / 20
    return {
        "cores": os.cpu_count() or 0,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "sha256_mib_per_s": round(64 / hashed, 1),
        "fsync_ms": round(synced * 1000, 3),
    }
