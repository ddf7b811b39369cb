"""Manifests as they stand in files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kourse.cli.session import CommandError
from kourse.contracts.resources import ADOPT_ANNOTATION, BY_KIND, GROUP, PAUSED_ANNOTATION

SUFFIXES = {".yaml", ".yml", ".json"}


@dataclass(frozen=True)
class Manifest:
    """One object of ours in a file.

    Attributes:
        kind: Its kind.
        name: Its name.
        namespace: The namespace that it names, or an empty text.
        annotations: Its annotations.
        spec: What it declares.
        file: Where it stands.
    """

    kind: str
    name: str
    namespace: str
    annotations: dict[str, str]
    spec: dict[str, Any]
    file: Path

    @property
    def adopts(self) -> bool:
        """Whether it takes over a name that was made through the REST API."""
        return self.annotations.get(ADOPT_ANNOTATION, "").lower() == "true"

    @property
    def paused(self) -> bool:
        """Whether the operator is asked to leave it alone."""
        return self.annotations.get(PAUSED_ANNOTATION, "").lower() == "true"


def files(places: Iterable[Path]) -> Iterator[Path]:
    """Manifest files below the folders, and the files, in order of name.

    Raises:
        CommandError: A place does not exist.
    """
    for place in places:
        if not place.exists():
            raise CommandError(f"There is no {str(place)!r}.")
        found = (path for path in place.rglob("*") if path.suffix in SUFFIXES)
        yield from sorted(found) if place.is_dir() else (place,)


def read(places: Iterable[Path]) -> list[Manifest]:
    """Every object of ours in the manifests, in order; objects of others are left out.

    Raises:
        CommandError: A manifest is no YAML, has no name or spec, or two declare the same.
    """
    found: dict[tuple[str, str, str], Manifest] = {}
    for file in files(places):
        for document in documents(file):
            if _is_ours(document):
                one = _manifest(document, file)
                key = (one.kind, one.namespace, one.name)
                if key in found:
                    raise CommandError(
                        f"{one.kind} {one.name!r} stands in {found[key].file} and in {file}; "
                        "leave it in one place."
                    )
                found[key] = one
    return list(found.values())


def documents(file: Path) -> Iterator[dict[str, Any]]:
    """The objects in a file, those of a List one by one.

    Raises:
        CommandError: It is no YAML.
    """
    try:
        loaded = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} is not YAML: {error}") from error
    for document in loaded:
        if isinstance(document, dict):
            items = document.get("items") if document.get("kind") == "List" else [document]
            yield from items or ()


def _is_ours(document: dict[str, Any]) -> bool:
    group = str(document.get("apiVersion", "")).partition("/")[0]
    return group == GROUP and document.get("kind") in BY_KIND


def _manifest(document: dict[str, Any], file: Path) -> Manifest:
    meta, spec = document.get("metadata") or {}, document.get("spec")
    if not meta.get("name") or not isinstance(spec, dict):
        raise CommandError(f"{file}: a {document['kind']} needs a metadata.name and a spec.")
    return Manifest(
        kind=document["kind"],
        name=str(meta["name"]),
        namespace=str(meta.get("namespace") or ""),
        annotations={key: str(value) for key, value in (meta.get("annotations") or {}).items()},
        spec=spec,
        file=file,
    )
