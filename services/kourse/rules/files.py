"""What is taken of files that learners send: endings, names, how many and how large together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

MIB = 1024 * 1024


@dataclass(frozen=True)
class File:
    """A file by the name its learner gave it.

    Attributes:
        size: Bytes.
    """

    name: str
    size: int


def objection(
    files: Sequence[File], *, extensions: Collection[str], max_files: int, max_size_mib: int
) -> str | None:
    """Why these files are not taken together, as a sentence for their learner; None when they are.

    Args:
        files: All of them.
        extensions: Endings that are taken, lower case without a dot; any when empty.
        max_files: Most files.
        max_size_mib: Most MiB, of all files together.
    """
    for file in files:
        ending = PurePosixPath(file.name).suffix.removeprefix(".").lower()
        if extensions and ending not in extensions:
            endings = ", ".join(extensions)
            return f"{file.name!r} cannot be handed in; these endings are: {endings}."
    if len({file.name for file in files}) < len(files):
        return "Two files have the same name; rename or remove one."
    if len(files) > max_files:
        return f"At most {max_files} files are taken; remove one first."
    size = sum(file.size for file in files)
    if size > max_size_mib * MIB:
        return f"The files have {size} bytes; at most {max_size_mib} MiB are taken."
    return None
