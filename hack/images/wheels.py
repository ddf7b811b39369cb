"""The wheels that go into an image: those the lock names, and this project's own."""

import hashlib
import shutil
import subprocess
import time
from pathlib import Path

from hack.install.machine import ROOT, PrerequisiteMissing, cache_dir, exclusive, report
from hack.install.venv import ENVIRONMENT

LOCK = ROOT / "hack" / "requirements" / "runtime.txt"
BIN = ENVIRONMENT / "bin"


def locked_wheels() -> Path:
    """Return the folder of all wheels that the lock names, fetched once and checked by hash.

    Raises:
        PrerequisiteMissing: One cannot be fetched or has another hash.
    """
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    folder = cache_dir() / "wheels" / digest
    if folder.exists():
        return folder
    with exclusive("wheels"):
        if not folder.exists():
            _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    started = time.monotonic()
    report("wheels", "fetching what the lock names")
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    options = ["--quiet", "--require-hashes", "--no-deps", "--only-binary=:all:"]
    where = ["--dest", str(unfinished), "--requirement", str(LOCK)]
    _run([str(BIN / "python"), "-m", "pip", "download", *options, *where])
    unfinished.rename(folder)
    report("wheels", "fetched", started)


def own_wheel(target: Path) -> None:
    """Build this project's wheel into a folder.

    Raises:
        PrerequisiteMissing: It cannot be built.
    """
    _run([str(BIN / "hatchling"), "build", "--target", "wheel", "--directory", str(target)])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = " / ".join(done.stderr.strip().splitlines()[-3:])
        raise PrerequisiteMissing(f"`{Path(command[0]).name} {command[1]}` failed: {reason}")
