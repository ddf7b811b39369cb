"""Forks a confined process for each order that comes over a socket.

The interpreter is loaded once, so a Python program starts with a fork. The zygote itself never sees a
word of a learner's: sources and input go through the descriptors that come with an order, so nothing
of one program is in the memory of the next. A program cannot fork: to kill it is to kill all of it.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from typing import NoReturn

from kourse.runner.box import interpreter, kernel
from kourse.runner.box.confine import confine, enter_namespaces, missing_layers
from kourse.runner.box.order import Ending, Order

MESSAGE_BYTES = 64 * 1024
DESCRIPTORS = 4
"""Standard input, output and error of the program, and the pipe for its ending."""


def main(channel: int) -> NoReturn:
    """Serves orders until the other side closes the socket; its first message says what is missing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    namespaces = enter_namespaces()
    interpreter.prepare()
    server = socket.socket(fileno=channel)
    server.send(
        Ending(
            refused=" ".join(missing_layers(namespaces=namespaces)), exit_code=int(namespaces)
        ).encode()
    )
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        text, descriptors, _, _ = socket.recv_fds(server, MESSAGE_BYTES, DESCRIPTORS)
        if not text:
            os._exit(0)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _supervise(Order.decode(text), descriptors, namespaces=namespaces)
        for descriptor in descriptors:
            os.close(descriptor)


def _supervise(order: Order, descriptors: list[int], *, namespaces: bool) -> NoReturn:
    """Runs the program as a child, kills it at its wall limit and reports how it ended."""
    *standard, report = descriptors
    if namespaces:
        kernel.unshare(kernel.CLONE_NEWPID)
    refusals, refusing = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _become(order, standard, refusing)
    for descriptor in (*standard, refusing):
        os.close(descriptor)
    watch = os.pidfd_open(child)
    timed_out = not select.select([watch], [], [], order.wall_s)[0]
    if timed_out:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    ending = Ending(
        exit_code=code if code >= 0 else None,
        signal=-code if code < 0 else None,
        cpu_s=usage.ru_utime + usage.ru_stime,
        wall_s=time.monotonic() - started,
        memory_kib=usage.ru_maxrss,
        timed_out=timed_out,
        refused=os.read(refusals, 500).decode(errors="replace"),
    )
    os.write(report, ending.encode())
    os._exit(0)


def _become(order: Order, standard: list[int], refusing: int) -> NoReturn:
    """Turns this process into the confined program."""
    try:
        os.set_inheritable(os.dup2(refusing, 200), False)
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
        os.dup2(200, 3, inheritable=False)
        kernel.close_from(4)
        confine(order)
        if order.argv:
            environment = {"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": "/"}
            os.execve(order.argv[0], order.argv, environment)  # noqa: S606 -- no shell wanted
        os.close(3)
    except BaseException as error:  # noqa: BLE001 -- nothing runs unconfined
        os.write(3, str(error).encode() or b"The sandbox could not be set up.")
        os._exit(1)
    interpreter.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
