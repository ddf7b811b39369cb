"""Landlock: which files a program may read; it may write none (linux/landlock.h)."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from kourse.runner.box.kernel import check, syscall

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
NETWORK_ABI = 4
SCOPE_ABI = 6
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many rights on files a version of the interface knows, from that version on."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """Version of Landlock that the kernel offers; 0 when it offers none."""
    return max(0, syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1))


def restrict(readable: Iterable[str]) -> None:
    """From now on this process reads and executes below ``readable`` alone and writes nothing.

    TCP is denied, and so are signals and abstract sockets to processes outside.

    Raises:
        OSError: The kernel has no Landlock, or refuses.
    """
    version = abi()
    rights = max(count for since, count in FILE_RIGHTS.items() if since <= version)
    attributes = _Ruleset(
        (1 << rights) - 1, 3 if version >= NETWORK_ABI else 0, 3 if version >= SCOPE_ABI else 0
    )
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    ruleset = check(syscall(CREATE_RULESET, ctypes.byref(attributes), size, 0), "landlock")
    for path in readable:
        _allow(ruleset, path, EXECUTE | READ_FILE | READ_DIR)
    _allow(ruleset, "/dev/null", READ_FILE | WRITE_FILE)
    _allow(ruleset, "/dev/urandom", READ_FILE)
    check(syscall(RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not Path(path).is_dir():
            rights &= ~READ_DIR
        rule = _Beneath(rights, parent)
        check(syscall(ADD_RULE, ruleset, 1, ctypes.byref(rule), 0), f"landlock rule for {path}")
    finally:
        os.close(parent)
