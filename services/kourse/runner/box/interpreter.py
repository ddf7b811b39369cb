"""Runs a Python program that comes on standard input before the program's own input.

Eight bytes say how long the source is; what follows it is left for the program to read.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import io
import os
import random
import sys
import threading
import traceback
import types
from typing import NoReturn

COMMON = (
    *("bisect", "collections", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions"),
    *("functools", "heapq", "itertools", "json", "math", "operator", "queue", "random", "re"),
    *("statistics", "string", "textwrap", "time", "typing"),
)
"""Modules that exercises import; they are loaded once, before any program."""


def prepare() -> None:
    """Loads what programs commonly import and keeps it out of the collector's way."""
    for name in COMMON:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


def read_exactly(count: int) -> bytes:
    """That many bytes of standard input, unbuffered.

    Raises:
        EOFError: The input ends before.
    """
    parts = []
    while count:
        part = os.read(0, min(count, 1 << 16))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def run() -> NoReturn:
    """Runs the program and ends the process as the interpreter would."""
    source = read_exactly(int.from_bytes(read_exactly(8), "big"))
    sys.stdin = io.TextIOWrapper(
        io.BufferedReader(io.FileIO(0, "r", closefd=False)), encoding="utf-8"
    )
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(1, "w", closefd=False)), encoding="utf-8"
    )
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(2, "w", closefd=False)),
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
    sys.argv = ["main.py"]
    random.seed()
    os._exit(_execute(source))


def _execute(source: bytes) -> int:
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    status = 0
    try:
        exec(compile(source, "main.py", "exec", dont_inherit=True), main.__dict__)  # noqa: S102
    except SystemExit as stop:
        status = _status_of(stop)
    except BaseException as error:  # noqa: BLE001 -- as the interpreter does
        below = error.__traceback__.tb_next if error.__traceback__ else None
        traceback.print_exception(error.with_traceback(below))
        status = 1
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
        atexit._run_exitfuncs()  # noqa: SLF001
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 -- as the interpreter does
        status = status or 1
    return status


def _status_of(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code & 0xFF
    sys.stderr.write(f"{stop.code}\n")
    return 1


if __name__ == "__main__":
    run()
