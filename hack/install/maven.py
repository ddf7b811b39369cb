"""Files of Maven Central, by address and digest."""

import hashlib
import time
import urllib.error
import urllib.request
from pathlib import Path

from hack.install.machine import PrerequisiteMissing, report

CENTRAL = "https://repo1.maven.org/maven2"
JAVA = {"openjdk-17-jre-headless": "/usr/lib/jvm/java-17-openjdk-*/bin/java"}
"""Debian package to its program, which runs what comes from there."""

_CHUNK = 1 << 20
_READ_SECONDS = 60.0
_FETCHES = 3
_PAUSE_SECONDS = 5.0


def fetch(name: str, source: str, digest: str, target: Path) -> Path:
    """Fetch a file to where it shall be; a download that breaks off is begun again.

    Args:
        name: What it is called in reports.
        source: Its address.
        digest: SHA-256 that it must have, in hexadecimal.
        target: The new file.

    Raises:
        PrerequisiteMissing: Maven Central is not reached or gives another file.
    """
    for _ in range(_FETCHES - 1):
        try:
            return _fetch(source, digest, target)
        except PrerequisiteMissing as error:
            report(name, f"once more: {error}")
            time.sleep(_PAUSE_SECONDS)
    return _fetch(source, digest, target)


def _fetch(source: str, wanted: str, target: Path) -> Path:
    """Fetch the file and check its digest before anything of it is used."""
    digest = hashlib.sha256()
    try:
        with (
            urllib.request.urlopen(source, timeout=_READ_SECONDS) as body,  # noqa: S310 - a fixed address
            target.open("wb") as file,
        ):
            while chunk := body.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
    except (OSError, urllib.error.URLError) as error:
        raise PrerequisiteMissing(
            f"{source} is not reached ({error}): check the network."
        ) from error
    if digest.hexdigest() != wanted:
        raise PrerequisiteMissing(
            f"{source} is another file than the pinned one: nothing was used."
        )
    return target
