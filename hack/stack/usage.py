"""How much memory processes hold, and how much time they have had."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

Children = Mapping[int, Sequence[int]]


def process_tree() -> Children:
    """Return the children of every process on this machine, by process id."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            children[_parent(int(entry.name))].append(int(entry.name))
    return children


def memory_held(pid: int, tree: Children) -> int:
    """Return the resident memory of a process and its descendants in bytes.

    A page that several processes share counts by each one's part (PSS), so sums are right.
    """
    return proportional(pid) + sum(memory_held(child, tree) for child in tree.get(pid, ()))


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process has had, without its children; 0 when it is gone."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def _stat(pid: int) -> list[bytes]:
    """Return the fields of ``/proc/<pid>/stat`` behind the name; none when the process is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return []
    return stat[stat.rindex(b")") + 2 :].split()


def proportional(pid: int) -> int:
    """Return the resident memory of one process in bytes (PSS); 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
