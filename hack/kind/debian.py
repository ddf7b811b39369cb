"""File trees of Debian packages, which images start from where no registry is reachable."""

import hashlib
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from hack.install.machine import PrerequisiteMissing, cache_dir, exclusive, report, require_command

SUITE = "bookworm"
REMEDY = "run `apt-get install -y mmdebstrap`."
LEFT_OUT = ("doc", "man", "info", "locale", "lintian", "bash-completion")


def package_tree(name: str, packages: Sequence[str], *, configured: bool) -> Path:
    """Return a tar of packages and what they depend on, made once and kept in the cache.

    Args:
        name: What it is for; part of the file's name.
        packages: Debian packages.
        configured: Whether maintainer scripts run, in a whole small system with a shell; else the
            files alone are unpacked.

    Raises:
        PrerequisiteMissing: mmdebstrap is missing or cannot fetch a package.
    """
    variant = "minbase" if configured else "extract"
    command = [
        "mmdebstrap",
        "--quiet",
        f"--variant={variant}",
        *(f"--dpkgopt=path-exclude=/usr/share/{path}/*" for path in LEFT_OUT),
        f"--include={','.join(packages)}",
        SUITE,
    ]
    digest = hashlib.sha256(" ".join(command).encode()).hexdigest()[:16]
    path = cache_dir() / "debian" / f"{name}-{digest}.tar"
    if path.exists():
        return path
    require_command("mmdebstrap", REMEDY)
    with exclusive(path.name):
        if not path.exists():
            _make(name, command, path)
    return path


def _make(name: str, command: Sequence[str], path: Path) -> None:
    started = time.monotonic()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished.tar")
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "0"}
    done = subprocess.run(
        [*command, str(unfinished)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        reason = " / ".join(done.stderr.strip().splitlines()[-3:])
        raise PrerequisiteMissing(f"mmdebstrap failed ({reason}): mend that and run this again.")
    unfinished.rename(path)
    report(name, "unpacked from Debian packages", started)
