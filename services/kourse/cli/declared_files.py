"""Files that Course manifests name: where they are, and whether they are the ones declared."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kourse.cli import manifests
from kourse.cli.session import CommandError


@dataclass(frozen=True)
class DeclaredFile:
    """One file of a course.

    Attributes:
        course: Name of the Course.
        path: Its path as the manifest names it.
        sha256: Digest that the manifest declares.
        file: Where it is.
    """

    course: str
    path: str
    sha256: str
    file: Path

    @property
    def offer(self) -> dict[str, Any]:
        """The file as the course service wants it offered."""
        kind = mimetypes.guess_type(self.path)[0] or "application/octet-stream"
        size = self.file.stat().st_size
        return {"path": self.path, "sha256": self.sha256, "size": size, "contentType": kind}


def declared_files(places: Iterable[Path]) -> list[DeclaredFile]:
    """Every file that the Course manifests name, each once, read and compared.

    Raises:
        CommandError: A manifest is no YAML, a file is missing, or it has another digest.
    """
    found: dict[tuple[str, str], DeclaredFile] = {}
    for manifest in manifests.files(places):
        for document in manifests.documents(manifest):
            if document.get("kind") == "Course":
                for entry in _named(document):
                    path = manifest.parent / entry["path"]
                    course = document["metadata"]["name"]
                    one = DeclaredFile(course, entry["path"], entry["sha256"], path)
                    found.setdefault((course, one.sha256), _checked(one, manifest))
    return list(found.values())


def _named(course: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The files that a manifest names well enough to be found; its owner says what else is wrong."""
    for chapter in _parts(course.get("spec"), "chapters"):
        for lesson in _parts(chapter, "lessons"):
            text = lesson.get("textFile") if isinstance(lesson, dict) else None
            for entry in (*_parts(lesson, "assets"), text):
                if isinstance(entry, dict) and {"path", "sha256"} <= entry.keys():
                    yield entry


def _parts(whole: Any, name: str) -> list[Any]:
    found = whole.get(name) if isinstance(whole, dict) else None
    return found if isinstance(found, list) else []


def _checked(one: DeclaredFile, manifest: Path) -> DeclaredFile:
    if not one.file.is_file():
        raise CommandError(f"{manifest} names {one.path!r}, which is not beside it.")
    with one.file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if digest != one.sha256:
        raise CommandError(
            f"{one.file} has the digest {digest}, but {manifest} declares {one.sha256}: "
            "write the new digest into the manifest, or restore the file."
        )
    return one
