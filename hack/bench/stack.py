"""How long the local stack takes to come up, and how much memory it then holds.

Everything is installed and built already; a cold machine's time depends on its network and compiler.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from hack.bench.figures import Figure
from hack.stack.layout import Layout
from hack.stack.record import read_record
from hack.stack.usage import memory_held, process_tree

GIB = 1 << 30


def _stack(state: Path, *command: str) -> float:
    env = {**os.environ, "KOURSE_STATE": str(state)}
    begun = perf_counter()
    subprocess.run([sys.executable, "-m", "hack.stack", *command], env=env, check=True, stdout=2)
    return perf_counter() - begun


def _resident(state: Path) -> int:
    record = read_record(Layout(state).record_file)
    return memory_held(record.supervisor, process_tree()) if record else 0


def measure() -> list[Figure]:
    """Brings a stack of its own up twice, weighs it, and takes it down."""
    with tempfile.TemporaryDirectory(prefix="kourse-bench-") as folder:
        state = Path(folder)
        try:
            first = _stack(state, "up")
            resident = _resident(state)
            again = _stack(state, "up")
        finally:
            down = _stack(state, "down")
    return [
        Figure("up on empty data, tools built", first, "s", 40),
        Figure("up when it is up", again, "s", 5),
        Figure("down", down, "s", 20),
        Figure("resident memory of all processes", resident / GIB, "GiB", 4),
    ]
