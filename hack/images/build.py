"""The images of this project, each built once from what goes into it."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hack.images.base_image import ensure_base, ensure_runner_base
from hack.images.builder import Builder
from hack.images.evaluation import ensure_evaluation
from hack.images.wheels import LOCK, locked_wheels, own_wheel
from hack.install.machine import ROOT
from hack.install.venv import ENVIRONMENT
from hack.kind.cluster import registry_reachable

SOURCES = Path(__file__).parent
STOCK_BASE = "docker.io/library/python:3.11-slim-bookworm"


def version() -> str:
    """Return the project's version."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


@dataclass(frozen=True)
class Images:
    """Names of the images that a cluster needs.

    Attributes:
        kourse: Services, operator and command line.
        runner: The code runner with the languages of programs.
        evaluation: The data stores of the chart's evaluation bundle.
    """

    kourse: str
    runner: str
    evaluation: str


def build_kourse(builder: Builder, *, again: bool = False) -> str:
    """Build the image of services, operator and command line, and return its name.

    The name's tag is ``IMAGE_TAG``, or follows from all that goes in: what is there already is not built.

    Args:
        builder: The tool.
        again: Build even what is there, without any cached step, under a name of its own.

    Raises:
        PrerequisiteMissing: It cannot be built; says why.
    """
    return _build(builder, "kourse", {"BASE": base_image(builder)}, again=again)


def build_runner(builder: Builder) -> str:
    """Build the image of the code runner, and return its name.

    Its base is made of Debian packages, or is that which ``RUNNER_BASE_IMAGE`` names.

    Raises:
        PrerequisiteMissing: It cannot be built; says why.
    """
    arguments = {
        "BASE": os.environ.get("RUNNER_BASE_IMAGE") or ensure_runner_base(builder),
        "TITLE": "kourse-runner",
        "DESCRIPTION": "Runs the programs of kourse's learners in a sandbox",
    }
    return _build(builder, "kourse-runner", arguments)


def _build(builder: Builder, image: str, given: Mapping[str, str], *, again: bool = False) -> str:
    arguments = {**given, "REVISION": _revision(), "VERSION": version()}
    with tempfile.TemporaryDirectory(prefix="kourse-image-") as folder:
        context = Path(folder)
        shutil.copytree(locked_wheels(), context / "wheels")
        own_wheel(context / "wheels")
        for path in (LOCK, SOURCES / "Dockerfile", SOURCES / "seal.py", _uv()):
            shutil.copy(path, context / path.name)
        name = f"{os.environ.get('IMAGE_PREFIX', 'ghcr.io/kourse')}/{image}"
        named = os.environ.get("IMAGE_TAG")
        tag = f"{name}:{named or f'{version()}-{_digest(context, arguments)}'}"
        if again:
            builder.build(context, f"{tag}-again", arguments, cached=False)
            return f"{tag}-again"
        if named or not builder.has(tag):
            builder.build(context, tag, arguments)
    return tag


def build_all(builder: Builder) -> Images:
    """Build every image that a cluster without a registry needs, and return their names.

    Raises:
        PrerequisiteMissing: One cannot be built; says why.
    """
    return Images(build_kourse(builder), build_runner(builder), ensure_evaluation(builder))


def _digest(context: Path, arguments: Mapping[str, str]) -> str:
    """Return what identifies the files of a context and the build's arguments."""
    digest = hashlib.sha256(repr(sorted(arguments.items())).encode())
    for path in sorted(each for each in context.rglob("*") if each.is_file()):
        digest.update(str(path.relative_to(context)).encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]


def base_image(builder: Builder) -> str:
    """Return the base: the one named by ``BASE_IMAGE``, the slim Python image, or our own.

    Raises:
        PrerequisiteMissing: Ours cannot be built; says why.
    """
    named = os.environ.get("BASE_IMAGE")
    if named:
        return named
    return STOCK_BASE if registry_reachable() else ensure_base(builder)


def _uv() -> Path:
    return ENVIRONMENT / "bin" / "uv"


def _revision() -> str:
    """Return the commit, with a mark when the tree differs from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
