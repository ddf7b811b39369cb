"""``make images``: builds the images, and prints their names."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from hack.images.base_image import ensure_base
from hack.images.builder import Builder, find_builder
from hack.images.evaluation import ensure_evaluation
from hack.images.wheels import LOCK, locked_wheels, own_wheel
from hack.install.machine import ROOT, PrerequisiteMissing
from hack.kind.cluster import registry_reachable

SOURCES = Path(__file__).parent
STOCK_BASE = "docker.io/library/python:3.11-slim-bookworm"


def version() -> str:
    """Return the project's version."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def kourse_tag() -> str:
    """Return the name of the image of services, operator and command line."""
    return f"{os.environ.get('IMAGE_PREFIX', 'ghcr.io/kourse')}/kourse:{version()}"


def build_kourse(builder: Builder) -> str:
    """Build the image of services, operator and command line, and return its name.

    Raises:
        PrerequisiteMissing: It cannot be built; says why.
    """
    tag = kourse_tag()
    arguments = {"BASE": _base(builder), "REVISION": _revision(), "VERSION": version()}
    with tempfile.TemporaryDirectory(prefix="kourse-image-") as folder:
        context = Path(folder)
        shutil.copytree(locked_wheels(), context / "wheels")
        own_wheel(context / "wheels")
        for path in (LOCK, SOURCES / "Dockerfile", SOURCES / "seal.py", _uv()):
            shutil.copy(path, context / path.name)
        builder.build(context, tag, arguments)
    return tag


def build_all(builder: Builder) -> list[str]:
    """Build every image that a cluster without a registry needs, and return their names.

    Raises:
        PrerequisiteMissing: One cannot be built; says why.
    """
    return [build_kourse(builder), ensure_evaluation(builder)]


def _base(builder: Builder) -> str:
    """Return the base: the one named by ``BASE_IMAGE``, the slim Python image, or our own."""
    named = os.environ.get("BASE_IMAGE")
    if named:
        return named
    return STOCK_BASE if registry_reachable() else ensure_base(builder)


def _uv() -> Path:
    return Path(sys.executable).with_name("uv")


def _revision() -> str:
    """Return the commit, with a mark when the tree differs from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def main() -> int:
    """Build the images.

    Returns:
        0, or 2 when the machine lacks something.
    """
    argparse.ArgumentParser(prog="make images", description=__doc__).parse_args()
    try:
        print("\n".join(build_all(find_builder())))
    except PrerequisiteMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
