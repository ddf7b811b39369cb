"""The filter of system calls: no processes, sockets, shared memory, tracing or administration.

Calls that came after clone3 are unknown to the program but for four harmless ones, so what a newer
kernel adds stays out. Classic BPF as in linux/seccomp.h; x86-64 alone.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from kourse.runner.box.kernel import PR_SET_SECCOMP, prctl

AUDIT_ARCH_X86_64 = 0xC000003E
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
NUMBER, ARCH, ARGUMENTS = 0, 4, 16
FIRST_NEW = 424
HARMLESS_NEW = (436, 439, 441, 449)
"""close_range, faccessat2, epoll_pwait2, futex_waitv."""

SOCKETPAIR, SENDTO, CLONE, MMAP, PRLIMIT, IOCTL = 53, 44, 56, 9, 302, 16
CLONE_THREAD = 0x00010000
AF_UNIX = 1
SHARED_ANONYMOUS = 0x21
TERMINAL_INJECTION = (0x5412, 0x541C)

DENIED = {
    "processes": (57, 58, 322),
    "sockets": (41, 42, 43, 46, 49, 50, 288, 307),
    "shared memory and queues": (
        *(29, 30, 31, 64, 65, 66, 67, 68, 69, 70, 71, 220),
        *(240, 241, 242, 243, 244, 245, 319),
    ),
    "other processes": (62, 101, 129, 200, 297, 310, 311, 312),
    "namespaces and mounts": (155, 161, 165, 166, 272, 303, 304, 308),
    "the machine": (
        *(103, 134, 135, 153, 154, 159, 163, 164, 167, 168, 169, 170, 171, 172, 173, 175, 176),
        *(179, 180, 212, 227, 246, 305, 313, 320),
    ),
    "kernel surface": (248, 249, 250, 298, 300, 301, 321, 323, 254),
    "identity": (105, 106, 109, 112, 113, 114, 116, 117, 119, 122, 123, 126),
    "priorities and limits": (141, 142, 144, 160, 203, 251, 314),
    "modes, owners, times and attributes": (
        *(90, 91, 92, 93, 94, 132, 133, 188, 189, 190, 197, 198, 199, 235),
        *(259, 260, 261, 268, 280),
    ),
}
"""Numbers of the calls that answer EPERM, by what they would reach."""

Step = tuple[int, int, int, int]


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> Step:
    return code, then, otherwise, value


def _verdict(error: int) -> Step:
    return _step(RETURN, ERRNO | error)


def _guarded(number: int, checks: list[Step]) -> list[Step]:
    """The checks for one call; every path through them returns."""
    return [_step(EQUAL, number, 0, len(checks)), *checks]


def _argument(index: int, *, high: bool = False) -> Step:
    return _step(LOAD, ARGUMENTS + 8 * index + (4 if high else 0))


def program() -> list[Step]:
    """The filter, step by step: (code, jump if true, jump if false, value)."""
    allow, deny = _step(RETURN, ALLOW), _verdict(errno.EPERM)
    steps = [_step(LOAD, ARCH), _step(EQUAL, AUDIT_ARCH_X86_64, 1, 0), _step(RETURN, KILL)]
    steps.append(_step(LOAD, NUMBER))
    for number in HARMLESS_NEW:
        steps += [_step(EQUAL, number, 0, 1), allow]
    steps += [_step(AT_LEAST, FIRST_NEW, 0, 1), _verdict(errno.ENOSYS)]
    for numbers in DENIED.values():
        for number in numbers:
            steps += [_step(EQUAL, number, 0, 1), deny]
    steps += _guarded(CLONE, [_argument(0), _step(ANY_BIT, CLONE_THREAD, 1, 0), deny, allow])
    steps += _guarded(SOCKETPAIR, [_argument(0), _step(EQUAL, AF_UNIX, 1, 0), deny, allow])
    steps += _guarded(
        MMAP,
        [
            _argument(3),
            _step(AND, SHARED_ANONYMOUS),
            _step(EQUAL, SHARED_ANONYMOUS, 0, 1),
            deny,
            allow,
        ],
    )
    for number, index in ((SENDTO, 4), (PRLIMIT, 2)):
        null = [_argument(index), _step(EQUAL, 0, 1, 0), deny]
        steps += _guarded(
            number, [*null, _argument(index, high=True), _step(EQUAL, 0, 1, 0), deny, allow]
        )
    injections = [
        _step(EQUAL, TERMINAL_INJECTION[0], 1, 0),
        _step(EQUAL, TERMINAL_INJECTION[1], 0, 1),
    ]
    steps += _guarded(IOCTL, [_argument(1), *injections, deny, allow])
    return [*steps, allow]


def is_known() -> bool:
    """Whether the filter is written for this machine's architecture."""
    return platform.machine() == "x86_64"


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


CODE = b"".join(struct.pack("HBBI", *step) for step in program())


def install() -> None:
    """Filters this process's calls from now on, and those of what it executes.

    Raises:
        OSError: The kernel refuses.
    """
    code = ctypes.create_string_buffer(CODE, len(CODE))
    loaded = _Program(len(CODE) // 8, ctypes.cast(code, ctypes.c_void_p))
    prctl(PR_SET_SECCOMP, ctypes.c_ulong(2), ctypes.byref(loaded))
