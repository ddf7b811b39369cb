"""The container engine: the one that runs already, else one of our own beside the machine's.

Our own is Debian's Docker with a data root, a socket and a runtime of its own, so that nothing of
it is left when it ends but a cache of images.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

from hack.install.machine import PrerequisiteMissing, cache_dir, exclusive, report
from hack.install.packages import install_extra
from hack.kind.docker import Docker
from hack.kind.traces import Traces, read_traces

PACKAGES = {
    "docker.io": "/usr/sbin/dockerd",
    "runc": "/usr/sbin/runc",
    "iptables": "/usr/sbin/iptables",
    "mmdebstrap": "/usr/bin/mmdebstrap",
}
WRAPPER = Path(__file__).with_name("runtime") / "runc-without-sys-resource"
CAP_SYS_RESOURCE = 24
BEGIN_SECONDS = 30.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.1
_STARTED: list[subprocess.Popen[bytes]] = []
"""Engines that this process started; they outlive it."""


def home() -> Path:
    """Return the directory of our own engine."""
    return cache_dir() / "engine"


def own() -> Docker:
    """Return our own engine, which may or may not run."""
    return Docker(f"unix://{home() / 'docker.sock'}")


def find() -> Docker | None:
    """Return an engine that runs: the machine's, else our own, else None."""
    return next((engine for engine in (Docker(), own()) if engine.answers()), None)


def ensure() -> Docker:
    """Return an engine that runs, started if there is none.

    Raises:
        PrerequisiteMissing: None runs and none can be started here; says why.
    """
    with exclusive("engine"):
        return find() or _start()


def stop_when_idle() -> bool:
    """Stop our own engine and undo what it did to the machine, unless containers run in it.

    Returns:
        Whether our own engine is gone now.
    """
    with exclusive("engine"):
        if own().answers():
            if own().containers():
                return False
            own().prune()
            _end(int((home() / "dockerd.pid").read_text()))
        traces = read_traces(home() / "traces.json")
        if traces is not None:
            traces.remove()
            (home() / "traces.json").unlink()
        return True


def lacks_sys_resource() -> bool:
    """Tell whether not even root may have CAP_SYS_RESOURCE on this machine."""
    status = Path("/proc/self/status").read_text().splitlines()
    bounding = next(line.split()[1] for line in status if line.startswith("CapBnd:"))
    return not int(bounding, 16) >> CAP_SYS_RESOURCE & 1


def _start() -> Docker:
    if os.geteuid() != 0:
        raise PrerequisiteMissing(
            "No container engine runs: start Docker, or run this as root to have one started."
        )
    install_extra(PACKAGES)
    started = time.monotonic()
    home().mkdir(parents=True, exist_ok=True)
    traces = home() / "traces.json"
    if not traces.exists():
        Traces.of_machine().write(traces)
    (home() / "dockerd.pid").unlink(missing_ok=True)
    with (home() / "dockerd.log").open("ab") as log:
        process = subprocess.Popen(
            ["dockerd", "--config-file", str(_configuration())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _STARTED.append(process)
    deadline = started + BEGIN_SECONDS
    while not own().answers():
        if process.poll() is not None or time.monotonic() > deadline:
            _end(process.pid)
            raise PrerequisiteMissing(f"dockerd does not start: see {home() / 'dockerd.log'}.")
        time.sleep(POLL_SECONDS)
    report("engine", "started", started)
    return own()


def _configuration() -> Path:
    """Write the engine's configuration and return its path."""
    settings: dict[str, object] = {
        "hosts": [own().host],
        "data-root": str(home() / "data"),
        "exec-root": str(home() / "exec"),
        "pidfile": str(home() / "dockerd.pid"),
    }
    if lacks_sys_resource():
        settings["runtimes"] = {"unprivileged": {"path": str(WRAPPER)}}
        settings["default-runtime"] = "unprivileged"
    path = home() / "daemon.json"
    path.write_text(json.dumps(settings, indent=1))
    return path


def _end(pid: int) -> None:
    """End the engine in order, or at last with force."""
    deadline = time.monotonic() + STOP_SECONDS
    number: int = signal.SIGTERM
    while _alive(pid):
        os.kill(pid, number)
        number = signal.SIGKILL if time.monotonic() > deadline else 0
        time.sleep(POLL_SECONDS)


def _alive(pid: int) -> bool:
    """Tell whether a process is there and no zombie; a child that ended is reaped."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return Path(f"/proc/{pid}").exists()
