"""Keycloak's server, from Maven Central by version and digest, built once for our options."""

import hashlib
import os
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

from hack.install.machine import PrerequisiteMissing, cache_dir, exclusive, report
from hack.install.maven import CENTRAL, JAVA, fetch
from hack.install.packages import install_extra, installed_file

VERSION = "26.7.3"
SHA256 = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"
SOURCE = (
    f"{CENTRAL}/org/keycloak/keycloak-quarkus-dist/{VERSION}/keycloak-quarkus-dist-{VERSION}.zip"
)

BUILD_OPTIONS = (
    "--db=postgres",
    "--health-enabled=true",
    "--features-disabled=kerberos,ciba,device-flow,impersonation",
)
"""What is fixed when the server is built; the rest is said at its start."""

MEMORY = (
    "-Xms64m",
    "-Xmx384m",
    "-XX:MetaspaceSize=96m",
    "-XX:MaxMetaspaceSize=256m",
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
)
"""Bounds of the Java machine for a laptop: about 600 MiB in all."""

_QUICK = ("-XX:TieredStopAtLevel=1",)
_THREADS = "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory"
_OPENED = ("java.util", "java.util.concurrent", "java.security", "java.lang")


def keycloak_directory() -> Path:
    """Return where the built server is: the name carries a hash of all that decides it."""
    decisive = " ".join([VERSION, SHA256, *BUILD_OPTIONS])
    digest = hashlib.sha256(decisive.encode()).hexdigest()[:16]
    return cache_dir() / "keycloak" / f"{VERSION}-{digest}"


def install_keycloak() -> None:
    """Bring a Java runtime and the built server, unless they are there.

    Raises:
        PrerequisiteMissing: Maven Central is not reached or gives another file, or a step failed.
    """
    if installed_file(JAVA["openjdk-17-jre-headless"]) is None:
        install_extra(JAVA)
    home = keycloak_directory()
    if home.exists():
        return
    with exclusive("keycloak"):
        if not home.exists():
            _build(home)


def java_command(home: Path) -> list[str]:
    """Return the command of the server below a home directory; its own arguments follow.

    This is what ``bin/kc.sh`` runs, without the shell that would stay between.

    Raises:
        PrerequisiteMissing: There is no Java.
    """
    java = installed_file(JAVA["openjdk-17-jre-headless"])
    if java is None:
        raise PrerequisiteMissing("Java is missing: run `make install`.")
    return [
        str(java.resolve()),
        *MEMORY,
        *_QUICK,
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
        "-Dfile.encoding=UTF-8",
        "-Duser.language=en",
        "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
        f"-Djava.util.concurrent.ForkJoinPool.common.threadFactory={_THREADS}",
        "-Dpicocli.disable.closures=true",
        f"-Dkc.home.dir={home}",
        f"-Djboss.server.config.dir={home / 'conf'}",
        "-cp",
        str(home / "lib" / "quarkus-run.jar"),
        "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
    ]


def _build(home: Path) -> None:
    started = time.monotonic()
    report("keycloak", f"fetching {VERSION} (once; it is kept in the cache)")
    work = home.with_suffix(".building")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    archive = fetch("keycloak", SOURCE, SHA256, work / "keycloak.zip")
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(work)
    archive.unlink()
    unpacked = work / f"keycloak-{VERSION}"
    report("keycloak", "building for our options", started)
    done = subprocess.run(
        [*java_command(unpacked), "build", *BUILD_OPTIONS],
        env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(work)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = " / ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
        raise PrerequisiteMissing(f"building keycloak failed ({reason}): mend that, run again.")
    unpacked.rename(home)
    shutil.rmtree(work)
    report("keycloak", "built", started)
