"""What a generator makes: files by path, written or compared in one way for all generators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""Top of the source tree."""

Files = Mapping[Path, bytes]
"""Content by absolute path."""


class RefusedError(Exception):
    """What a generator would write must not be written; the message says why and what to do."""


def drift(files: Files, stale: Iterable[Path] = ()) -> list[str]:
    """Paths, relative to the tree's top, that differ from what the generator makes, sorted."""
    wrong = [path for path, content in files.items() if _read(path) != content]
    return sorted(str(path.relative_to(ROOT)) for path in [*wrong, *stale])


def write(files: Files, stale: Iterable[Path] = ()) -> list[str]:
    """Write what differs and remove what is stale; returns the paths changed, sorted."""
    stale = list(stale)
    changed = drift(files, stale)
    for path, content in files.items():
        if _read(path) != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    for path in stale:
        path.unlink()
    return changed


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
