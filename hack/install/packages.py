"""Debian packages of the servers that the local stack runs, and of the languages that learners write."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from hack.install.machine import PrerequisiteMissing, exclusive, report

SERVERS: Mapping[str, str] = {
    "postgresql": "/usr/lib/postgresql/*/bin/postgres",
    "redis-server": "/usr/bin/redis-server",
    "rabbitmq-server": "/usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server",
    "etcd-server": "/usr/bin/etcd",
    "prometheus": "/usr/bin/prometheus",
    "openssl": "/usr/bin/openssl",
    "nodejs": "/usr/bin/node",
    "openjdk-17-jdk-headless": "/usr/lib/jvm/java-17-openjdk-*/bin/javac",
    "util-linux": "/usr/bin/setpriv",
    "ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
}
"""Package to a file it brings: looking for the file is a hundred times quicker than asking dpkg."""

POLICY = Path("/usr/sbin/policy-rc.d")
"""Debian asks this program whether a freshly installed server may start; 101 says no."""

SAVED_POLICY = POLICY.with_name("policy-rc.d.before-kourse")
OUR_POLICY = "#!/bin/sh\n# kourse is installing packages\nexit 101\n"
RETRIES = ("-o", "Acquire::Retries=5")
"""A mirror that breaks off once does not end the installation."""


def installed_file(pattern: str) -> Path | None:
    """Return the newest file that an absolute glob pattern matches, or None."""
    return max(Path("/").glob(pattern.lstrip("/")), key=_version, default=None)


def _version(path: Path) -> tuple[tuple[int, str], ...]:
    """Order ``.../15/...`` after ``.../9/...``."""
    return tuple((int(part) if part.isdigit() else 0, part) for part in path.parts)


def missing_servers() -> list[str]:
    """Return the Debian packages of servers that have to be installed, in a fixed order."""
    return [name for name, pattern in SERVERS.items() if installed_file(pattern) is None]


def missing_python_parts() -> list[str]:
    """Return the Debian packages without which this Python makes no virtual environments."""
    return [] if importlib.util.find_spec("ensurepip") else ["python3-venv"]


def install_packages(missing: Callable[[], list[str]] = missing_servers) -> None:
    """Install the Debian packages that are missing; their servers are not started.

    Args:
        missing: Says which ones; asked again when another installer was waited for.

    Raises:
        PrerequisiteMissing: Something is missing and cannot be installed here; says why.
    """
    if not missing() and not _policy_is_ours():
        return
    with exclusive("packages"):
        _restore_policy()
        if packages := missing():
            _apt_install(packages)


def install_extra(packages: Mapping[str, str]) -> None:
    """Install packages that only some commands need.

    Args:
        packages: Package to a file it brings.

    Raises:
        PrerequisiteMissing: One is missing and cannot be installed here; says why.
    """
    with exclusive("packages"):
        missing = [name for name, pattern in packages.items() if installed_file(pattern) is None]
        if missing:
            _apt_install(missing)


def _apt_install(packages: list[str]) -> None:
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise PrerequisiteMissing(
            f"{names} missing and there is no apt-get: install them by hand or use Debian 12."
        )
    if os.geteuid() != 0:
        raise PrerequisiteMissing(
            f"{names} missing: run `sudo apt-get install -y {names}`, or this command as root."
        )
    started = time.monotonic()
    report("packages", f"apt-get install {names}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _servers_kept_from_starting():
        _apt(["dpkg", "--configure", "-a"], environment)
        _apt(["apt-get", *RETRIES, "-q", "update"], environment)
        command = ["apt-get", *RETRIES, "-qqy", "--no-install-recommends", "install", *packages]
        _apt(command, environment)
    report("packages", "installed", started)


def _apt(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise PrerequisiteMissing(
            f"`{' '.join(command)}` failed ({' '.join(last)}): mend apt, then run this again."
        )


@contextlib.contextmanager
def _servers_kept_from_starting() -> Iterator[None]:
    """Answer 101 to Debian's question while packages are installed, then restore what was there."""
    if POLICY.exists():
        POLICY.rename(SAVED_POLICY)
    POLICY.write_text(OUR_POLICY)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        _restore_policy()


def _policy_is_ours() -> bool:
    return POLICY.exists() and POLICY.read_text(errors="replace") == OUR_POLICY


def _restore_policy() -> None:
    """Put back what was there, also after a run that was killed."""
    if _policy_is_ours():
        POLICY.unlink()
    if SAVED_POLICY.exists():
        SAVED_POLICY.rename(POLICY)
