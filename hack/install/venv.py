"""The project's virtual environment, exactly as the locks say."""

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from hack.install.machine import ROOT, PrerequisiteMissing, report
from hack.install.packages import install_packages, missing_python_parts

ENVIRONMENT = ROOT / ".venv"
BOOTSTRAP = ROOT / "hack" / "requirements" / "bootstrap.txt"
LOCK = ROOT / "hack" / "requirements" / "dev.txt"
INPUTS = (BOOTSTRAP, LOCK, ROOT / "pyproject.toml")


def install_venv() -> None:
    """Bring ``.venv`` to what the locks say; returns at once when its stamp says it is.

    Raises:
        PrerequisiteMissing: An environment cannot be made or a package cannot be installed.
    """
    stamp = ENVIRONMENT / "kourse.stamp"
    wanted = _digest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    with _alone():
        if stamp.exists() and stamp.read_text() == wanted:
            return
        _install()
        stamp.write_text(wanted)


def _install() -> None:
    started = time.monotonic()
    report("python environment", "installing")
    python = str(ENVIRONMENT / "bin" / "python")
    uv = str(ENVIRONMENT / "bin" / "uv")
    if not Path(python).exists():
        install_packages(missing_python_parts)
        _run([sys.executable, "-m", "venv", str(ENVIRONMENT)])
    if not Path(uv).exists():
        _run([python, "-m", "pip", "install", "-q", "--require-hashes", "-r", str(BOOTSTRAP)])
    into = ["-q", "--python", python]
    _run([uv, "pip", "sync", *into, "--require-hashes", str(LOCK)])
    editable = ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    _run([uv, "pip", "install", *into, *editable])
    report("python environment", "installed", started)


def _digest() -> str:
    """Return what identifies an up-to-date environment: the inputs and the interpreter."""
    digest = hashlib.sha256(sys.version.encode())
    for path in INPUTS:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _run(command: list[str]) -> None:
    environment = {**os.environ, "VIRTUAL_ENV": str(ENVIRONMENT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        reason = " / ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
        what = " ".join(Path(word).name for word in command[:3])
        raise PrerequisiteMissing(f"`{what}` failed ({reason}): mend that and run this again.")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold the clone's own lock: two clones may install at the same time, one twice may not."""
    descriptor = os.open(ROOT / "hack", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
