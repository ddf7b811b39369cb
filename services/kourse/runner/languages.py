"""The languages, by the ids of Judge0, and how each is checked and run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kourse.runner.box.order import Order

TOOLCHAIN = Path(__file__).parent / "toolchain"
MEBIBYTE = 1 << 20
LIBRARIES = ("/usr/lib", "/lib", "/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
OPEN = 0o005
SYSTEM_PYTHON = "/usr/bin/python3"


@dataclass(frozen=True, slots=True)
class Language:
    """A language and its commands.

    Attributes:
        id: Its id at Judge0 CE.
        name: Its name as people know it.
        check: Command that says whether a source is a program; no line of the source runs.
        execute: Command that runs one; empty for the sandbox's own interpreter.
        readable: Paths that the commands read.
        overhead_mib: Memory of the language's own, on top of what a program may have.
        compiles: Whether the check writes the program that is run in the source's stead.
    """

    id: int
    name: str
    check: Sequence[str]
    execute: Sequence[str]
    readable: Sequence[str]
    overhead_mib: int
    compiles: bool = False

    def order(self, command: Sequence[str], cpu_s: float, wall_s: float, memory_mib: int) -> Order:
        """The order for one of its commands within these limits."""
        return Order(
            argv=[part.replace("{memory}", str(memory_mib)) for part in command],
            readable=list(self.readable),
            cpu_s=int(cpu_s) + 1,
            wall_s=wall_s,
            data_bytes=(memory_mib + self.overhead_mib) * MEBIBYTE,
        )


def interpreter() -> str:
    """The Python that programs get: this one, or the system's where its directory is closed to others."""
    own = Path(sys.base_prefix, "bin", "python3").resolve()
    is_open = all(parent.stat().st_mode & OPEN == OPEN for parent in own.parents)
    return str(own) if is_open or os.geteuid() != 0 else SYSTEM_PYTHON


def python() -> Language:
    """Python, run by a fork of the sandbox's interpreter."""
    binary = interpreter()
    prefix = str(Path(binary).resolve().parent.parent)
    readable = LIBRARIES if prefix == "/usr" else (*LIBRARIES, prefix)
    check = (
        "import sys; n = int.from_bytes(sys.stdin.buffer.read(8), 'big')\n"
        "try: compile(sys.stdin.buffer.read(n), 'main.py', 'exec')\n"
        "except (SyntaxError, ValueError) as e:\n"
        " import traceback; traceback.print_exception(e, limit=0); sys.exit(1)"
    )
    return Language(
        92,
        "Python (3.11)",
        (binary, "-I", "-S", "-c", check),
        (),
        (*readable, binary),
        16,
    )


def javascript() -> Language | None:
    """JavaScript by Node, or None where it is not installed."""
    node = shutil.which("node")
    if node is None:
        return None
    node = os.path.realpath(node)
    told = subprocess.run((node, "--version"), check=True, capture_output=True, text=True).stdout  # noqa: S603
    harness = (TOOLCHAIN / "harness.js").read_text(encoding="utf-8")
    command = (node, "--max-old-space-size={memory}", "--v8-pool-size=1", "-e", harness)
    return Language(
        97,
        f"JavaScript (Node.js {told.strip().lstrip('v').partition('.')[0]})",
        (*command, "check"),
        (*command, "run"),
        (*LIBRARIES, node, "/usr/share/nodejs", "/etc/ssl/openssl.cnf"),
        512,
    )


def java(directory: Path) -> Language | None:
    """Java with its harness compiled into a directory, or None where there is no JDK.

    Raises:
        subprocess.CalledProcessError: The harness does not compile with this JDK.
    """
    binary, compiler = shutil.which("java"), shutil.which("javac")
    if binary is None or compiler is None:
        return None
    if not (directory / "Harness.class").exists():
        source = str(TOOLCHAIN / "Harness.java")
        building = [compiler, "-d", str(directory), source]
        subprocess.run(building, check=True, capture_output=True)  # noqa: S603 -- our own harness
    home = Path(binary).resolve().parent.parent
    command = (
        *(str(home / "bin/java"), "-Xmx{memory}m", "-Xss8m", "-XX:+UseSerialGC", "-Xshare:auto"),
        *("-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-XX:ReservedCodeCacheSize=32m"),
        *("-XX:CICompilerCount=1", "-XX:-MaxFDLimit", "-cp", str(directory), "Harness"),
    )
    return Language(
        91,
        "Java (JDK 17)",
        (*command, "compile"),
        (*command, "run"),
        (*LIBRARIES, str(home), str(directory), "/etc/java-17-openjdk"),
        640,
        compiles=True,
    )


def catalogue(directory: Path) -> dict[int, Language]:
    """The languages that this machine has, by id.

    Args:
        directory: Where compiled harnesses are kept; programs may read it.
    """
    found = (python(), javascript(), java(directory))
    return {language.id: language for language in found if language}
