"""What the machine is and where things are kept on it.

The installer answers a missing prerequisite with one sentence that names the remedy, so the
checks live in one place and raise one exception.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The root of the clone."""


class PrerequisiteMissing(Exception):
    """The machine lacks something that cannot be installed from here; the text names the remedy."""


def cache_dir() -> Path:
    """Return the directory of built tools, made if missing.

    It is ``$KOURSE_CACHE`` or ``~/.cache/kourse``: outside the clone, so that ``git clean`` and a
    second clone keep the builds.
    """
    configured = os.environ.get("KOURSE_CACHE")
    path = Path(configured) if configured else Path.home() / ".cache" / "kourse"
    path.mkdir(parents=True, exist_ok=True)
    return path


def is_ours_to_furnish() -> bool:
    """Tell whether whatever is missing can be installed here: this is Debian, and we are root."""
    return os.geteuid() == 0 and Path("/etc/debian_version").exists()


def require_command(name: str, remedy: str) -> str:
    """Return the path of a command.

    Args:
        name: The command's name, looked up on PATH.
        remedy: A sentence that tells how to get it.

    Raises:
        PrerequisiteMissing: It is not on PATH.
    """
    found = shutil.which(name)
    if found is None:
        raise PrerequisiteMissing(f"`{name}` is not on PATH: {remedy}")
    return found


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold a lock of this machine's cache, so that two installers never build the same thing.

    Says so when it has to wait.
    """
    with (cache_dir() / f"{name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(name, "waiting for another run that is installing")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def report(subject: str, text: str, since: float | None = None) -> None:
    """Print one progress line.

    Args:
        subject: What the line is about; aligned in a column.
        text: What happens.
        since: ``time.monotonic()`` at the start; adds the seconds gone by.
    """
    elapsed = "" if since is None else f"  {time.monotonic() - since:.1f} s"
    print(f"  {subject:<22} {text}{elapsed}", flush=True)
