"""How much memory processes hold."""

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
    return _proportional(pid) + sum(memory_held(child, tree) for child in tree.get(pid, ()))


def _parent(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    return int(stat[stat.rindex(b")") + 2 :].split()[1])


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
