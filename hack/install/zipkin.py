"""Zipkin's server, from Maven Central by version and digest: where tests and people look at traces."""

import time
from pathlib import Path

from hack.install.machine import PrerequisiteMissing, cache_dir, exclusive, report
from hack.install.maven import CENTRAL, JAVA, fetch
from hack.install.packages import install_extra, installed_file

VERSION = "3.6.1"
SHA256 = "981b1de6139b4f8f787a909c308028732f9713ae5284353d2a5aa404d1094775"
SOURCE = f"{CENTRAL}/io/zipkin/zipkin-server/{VERSION}/zipkin-server-{VERSION}-slim.jar"
MEMORY = ("-Xms32m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Bounds of the Java machine; traces are kept in it and go with it."""


def zipkin_jar() -> Path:
    """Return where the server is once it is installed."""
    return cache_dir() / "zipkin" / f"{VERSION}-{SHA256[:16]}.jar"


def install_zipkin() -> None:
    """Bring a Java runtime and the server, unless they are there.

    Raises:
        PrerequisiteMissing: Maven Central is not reached or gives another file.
    """
    if installed_file(JAVA["openjdk-17-jre-headless"]) is None:
        install_extra(JAVA)
    jar = zipkin_jar()
    with exclusive("zipkin"):
        if not jar.exists():
            started = time.monotonic()
            jar.parent.mkdir(parents=True, exist_ok=True)
            fetch("zipkin", SOURCE, SHA256, jar.with_suffix(".unfinished")).rename(jar)
            report("zipkin", f"fetched {VERSION}", started)


def zipkin_command() -> list[str]:
    """Return the command of the server; its settings are environment variables.

    Raises:
        PrerequisiteMissing: There is no Java.
    """
    java = installed_file(JAVA["openjdk-17-jre-headless"])
    if java is None:
        raise PrerequisiteMissing("Java is missing: run `make install`.")
    return [str(java.resolve()), *MEMORY, "-jar", str(zipkin_jar())]
