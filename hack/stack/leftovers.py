"""Finds and ends processes of a stack whose supervisor is gone.

Every child carries the state directory's id in its environment. Some servers write their title over
that memory (Redis, PostgreSQL's back ends), so a process also counts as ours when it is one of the
stack's programs and works in one of the stack's own data directories.
"""

import contextlib
import os
import signal
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

MARKER = "KOURSE_STATE_ID"
_POLL_SECONDS = 0.05
_KILL_SECONDS = 5.0


def start_ticks(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; 0 when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    fields = stat[stat.rindex(b")") + 2 :].split()
    return 0 if fields[0] in {b"Z", b"X"} else int(fields[19])


def is_alive(pid: int, started: int) -> bool:
    """Tell whether the process that started then still runs; a reused pid does not count."""
    return pid > 0 and started > 0 and start_ticks(pid) == started


def find_leftovers(state_id: str, data_dir: Path, programs: Collection[str]) -> list[int]:
    """Return the ids of processes of this stack, but for this process and its ancestors.

    Args:
        state_id: The marker.
        data_dir: Below it lie the working directories of the stack's processes.
        programs: The real paths of the stack's programs.
    """
    marker = f"{MARKER}={state_id}".encode()
    return [pid for pid in _others() if _carries(pid, marker) or _works_in(pid, data_dir, programs)]


def find_working_in(directory: Path, programs: Collection[str]) -> list[int]:
    """Return the ids of processes of these programs that work in a directory or below it."""
    return [pid for pid in _others() if _works_in(pid, directory, programs)]


def _carries(pid: int, marker: bytes) -> bool:
    try:
        return marker in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # ended meanwhile, or another user's
        return False


def _works_in(pid: int, directory: Path, programs: Collection[str]) -> bool:
    try:
        works_in = Path(f"/proc/{pid}/cwd").readlink()
        program = str(Path(f"/proc/{pid}/exe").readlink())
    except OSError:  # ended meanwhile, or another user's
        return False
    return program in programs and works_in.is_relative_to(directory)


def _others() -> Iterator[int]:
    """Yield the ids of the running processes that this one was not started by."""
    spared = set(_ancestors(os.getpid()))
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in spared and start_ticks(int(entry.name)):
            yield int(entry.name)


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 0:
        yield pid
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        pid = int(stat[stat.rindex(b")") + 2 :].split()[1])


def end_processes(pids: Collection[int], asked: Mapping[int, int], seconds: float) -> None:
    """End processes: ask some of them to stop, and kill what still runs after a while.

    Args:
        pids: Their ids; ids of processes that are gone are passed over.
        asked: Those that end the others when they end, each with the signal that asks it.
        seconds: How long they may take.
    """
    running = {pid: started for pid in pids if (started := start_ticks(pid))}
    for pid in running.keys() & asked.keys():
        _signal(pid, asked[pid])
    running = _wait(running, seconds if asked else 0.0)
    for pid in running:
        _signal(pid, signal.SIGKILL)
    _wait(running, _KILL_SECONDS)


def _wait(running: dict[int, int], seconds: float) -> dict[int, int]:
    """Wait until processes, given with their start times, have ended; return those that have not."""
    deadline = time.monotonic() + seconds
    while running and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        running = {pid: tick for pid, tick in running.items() if is_alive(pid, tick)}
    return running


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
