"""Picks the ports of a stack once and keeps them until it goes down.

They lie below the kernel's range for outgoing connections, so none is lost to a client while its
server restarts. Each stack claims a block of its own in the machine's cache: two stacks that start
at the same moment (tests do) cannot pick the same ports.
"""

import fcntl
import json
import random
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from hack.install.machine import PrerequisiteMissing, cache_dir
from hack.stack.layout import Layout, write_private

FIRST, LAST, BLOCK = 20000, 31999, 60

IsFree = Callable[[int], bool]


def is_free(port: int) -> bool:
    """Tell whether a server could listen on 127.0.0.1 at this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose(
    names: Sequence[str], kept: Mapping[str, int], block: range, free: IsFree = is_free
) -> dict[str, int]:
    """Return a port for every name.

    Args:
        names: Who needs one.
        kept: What earlier runs chose; a port of it stays when ``free`` says it may.
        block: Where new ones come from.
        free: Whether a port may be used.

    Raises:
        PrerequisiteMissing: The block has too few free ports.
    """
    chosen = {name: kept[name] for name in names if name in kept and free(kept[name])}
    spare = (port for port in block if port not in {*chosen.values(), *kept.values()})
    for name in names:
        if name not in chosen:
            chosen[name] = _next_free(spare, free)
    return {name: chosen[name] for name in names}


def _next_free(spare: Iterator[int], free: IsFree) -> int:
    for port in spare:
        if free(port):
            return port
    raise PrerequisiteMissing("No free ports are left: stop what listens on 20000-31999.")


def allocate(layout: Layout, names: Sequence[str], in_use: frozenset[int]) -> dict[str, int]:
    """Return this stack's ports and write them down.

    Args:
        layout: Whose stack.
        names: Who needs a port.
        in_use: Ports on which this very stack listens now: these stay.

    Raises:
        PrerequisiteMissing: No block is left.
    """
    kept: dict[str, int] = {}
    if layout.ports_file.exists():
        kept = json.loads(layout.ports_file.read_text())
    with _claims() as directory:
        block = _own_block(directory, layout.root)
        ports = choose(names, kept, block, lambda port: port in in_use or is_free(port))
        write_private(layout.ports_file, json.dumps({**kept, **ports}, indent=1))
    return ports


def release(layout: Layout) -> None:
    """Forget the ports of a stack that is down."""
    with _claims() as directory:
        for claim in directory.glob("*.claim"):
            if claim.read_text() == str(layout.root):
                claim.unlink()
    layout.ports_file.unlink(missing_ok=True)


@contextmanager
def _claims() -> Iterator[Path]:
    directory = cache_dir() / "ports"
    directory.mkdir(exist_ok=True)
    with (directory / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield directory


def _own_block(directory: Path, root: Path) -> range:
    """Return the block claimed by a state directory, claiming one when there is none."""
    owners = {int(claim.stem): Path(claim.read_text()) for claim in directory.glob("*.claim")}
    taken = set()
    for start, owner in owners.items():
        if owner == root:
            return range(start, start + BLOCK)
        if (owner / "ports.json").exists():
            taken.add(start)
    open_blocks = [start for start in range(FIRST, LAST - BLOCK, BLOCK) if start not in taken]
    if not open_blocks:
        raise PrerequisiteMissing("All port blocks are claimed: run `make down` in other clones.")
    start = random.choice(open_blocks)  # noqa: S311 - spreads stacks, keeps no secret
    (directory / f"{start}.claim").write_text(str(root))
    return range(start, start + BLOCK)
