"""Calls of the Linux kernel that Python has no name for."""

from __future__ import annotations

import ctypes
import os

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
CAPSET = 126
CLOSE_RANGE = 436
CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> int:
    """The result of a call.

    Raises:
        OSError: The call failed; ``what`` says which.
    """
    if result < 0:
        errno = ctypes.get_errno()
        raise OSError(errno, f"{what}: {os.strerror(errno)}")
    return result


def syscall(number: int, *arguments: object) -> int:
    """The result of a system call by its number; negative when it failed."""
    return int(_libc.syscall(ctypes.c_long(number), *arguments))


def prctl(option: int, *arguments: object) -> None:
    """Sets an attribute of this process.

    Raises:
        OSError: The kernel refuses.
    """
    rest = [*arguments, *[ctypes.c_ulong(0)] * (4 - len(arguments))]
    check(_libc.prctl(option, *rest), f"prctl({option})")


def unshare(flags: int) -> None:
    """Moves this process (its next children, for process ids) into namespaces of its own.

    Raises:
        OSError: The kernel or the container's policy refuses.
    """
    check(_libc.unshare(flags), "unshare")


def drop_capabilities() -> None:
    """Gives up every capability, also those that a user namespace granted.

    Raises:
        OSError: The kernel refuses.
    """
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    check(syscall(CAPSET, ctypes.byref(header), (ctypes.c_uint32 * 6)()), "capset")


def close_from(first: int) -> None:
    """Closes every descriptor from ``first`` on."""
    check(syscall(CLOSE_RANGE, ctypes.c_uint(first), ctypes.c_uint(0xFFFFFFFF), 0), "close_range")
