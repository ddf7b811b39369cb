"""Files of signing keys: their names say from when on each signs, and rotation adds and removes files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

LEAD_S = 1200
"""Seconds between the publication of a key and its first signature: more than the 600 s after which
verifiers fetch again, the 300 s for which caches may keep the document, and the re-reading of the files."""
OVERLAP_S = 3600
"""Seconds for which a key that no longer signs is still published; more than any access token lives."""


def begins_at(file: Path) -> int:
    """Unix second from which on the key signs: the name of its file, or 0 for any other name."""
    return int(file.stem) if file.stem.isdecimal() else 0


def rotate(directory: Path, *, now: float) -> tuple[Path, list[Path]]:
    """Puts a new key beside the others and removes those that no valid token needs.

    Whoever reads the directory meanwhile finds the new key whole or not at all.

    Args:
        directory: Of the ``*.pem`` files.
        now: Unix seconds.

    Returns:
        The new key's file, and those removed.
    """
    made = ec.generate_private_key(ec.SECP256R1())
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = directory / f"{int(now) + LEAD_S}.pem"
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_bytes(pem)
    unfinished.rename(path)
    files = sorted(directory.glob("*.pem"), key=begins_at)
    superseded = [
        old for old, following in pairwise(files) if begins_at(following) + OVERLAP_S <= now
    ]
    for old in superseded:
        old.unlink()
    return path, superseded
