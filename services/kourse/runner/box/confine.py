"""The confinement of one process, in the order in which each layer still permits the next."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from pathlib import Path

from kourse.runner.box import kernel, landlock, seccomp
from kourse.runner.box.order import Order

NOBODY = 65534
STACK_BYTES = 64 << 20
NAMESPACES = (
    kernel.CLONE_NEWUSER
    | kernel.CLONE_NEWNS
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
)


def enter_namespaces() -> bool:
    """Gives up root and takes namespaces without network; False where the kernel grants none."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        kernel.prctl(kernel.PR_SET_DUMPABLE, ctypes.c_ulong(1))
    uid, gid = os.geteuid(), os.getegid()
    try:
        kernel.unshare(NAMESPACES)
    except OSError:
        return False
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        Path("/proc/self", name).write_text(text, encoding="ascii")
    return True


def missing_layers(*, namespaces: bool) -> list[str]:
    """Sentences on what this kernel or container lacks to confine programs; none when all is there.

    Args:
        namespaces: Whether the process has its own; without them Landlock has to keep signals inside.
    """
    missing = []
    if not seccomp.is_known():
        missing.append("The filter of system calls is written for x86-64 alone.")
    needed = landlock.NETWORK_ABI if namespaces else landlock.SCOPE_ABI
    if (found := landlock.abi()) < needed:
        missing.append(f"Landlock {needed} is needed here; the kernel offers {found}.")
    return missing


def confine(order: Order) -> None:
    """Takes from this process all that a learner's program must not have.

    Raises:
        OSError: A layer could not be put up; nothing may run then.
    """
    kernel.prctl(kernel.PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL))
    os.setsid()
    os.chdir("/")
    for limit, value in (
        (resource.RLIMIT_CPU, order.cpu_s),
        (resource.RLIMIT_DATA, order.data_bytes),
        (resource.RLIMIT_STACK, STACK_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_NPROC, 512),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        hard = resource.getrlimit(limit)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (bound, bound))
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1))
    landlock.restrict(order.readable)
    kernel.drop_capabilities()
    seccomp.install()
