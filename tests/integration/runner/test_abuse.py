"""Programs that abuse a judge work without the sandbox and do not within it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kourse.runner.engine import Engine
from kourse.runner.judge import framed
from kourse.runner.languages import python
from tests.integration.runner.abuses import ABUSES, WORKED

NATIVE_TIMEOUT_S = 120
LIMITS = {"cpu_s": 1.0, "wall_s": 20.0, "memory_mib": 128}
SLEEPING = "2.5"


@dataclass(frozen=True)
class Surroundings:
    """What there is to abuse."""

    scratch: Path
    port: int
    victim: int

    def fill(self, program: str) -> str:
        """The program with its names filled in, and a last line that says that it worked."""
        for word, value in (
            ("SCRATCH", self.scratch),
            ("PORT", self.port),
            ("VICTIM", self.victim),
        ):
            program = program.replace(word, str(value))
        return program + WORKED


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """A sandbox."""
    os.environ["KOURSE_CANARY"] = "canary"
    engine = Engine()
    engine.start()
    yield engine
    engine.stop()
    del os.environ["KOURSE_CANARY"]


@pytest.fixture
def surroundings() -> Iterator[Surroundings]:
    """A scratch directory, listeners and a process; closed to nobody, so that only the sandbox protects."""
    scratch = Path(tempfile.mkdtemp(prefix="kourse-abuse-"))
    scratch.chmod(0o777)
    for name in ("canary", "mine", "expected", "planted.py"):
        (scratch / name).write_text("1")
        (scratch / name).chmod(0o777)
    victim = subprocess.Popen(["sleep", "600"])
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unix,
    ):
        unix.bind(str(scratch / "socket"))
        (scratch / "socket").chmod(0o777)
        yield Surroundings(scratch, listener.getsockname()[1], victim.pid)
    victim.kill()
    victim.wait()
    shutil.rmtree(scratch)


def natively(program: str) -> bytes:
    """What the program prints when nothing confines it; it inherits a pipe as descriptor 9."""
    reading, writing = os.pipe()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import os; os.dup2({writing}, 9)\n{program}"],
        capture_output=True,
        pass_fds=[writing],
        timeout=NATIVE_TIMEOUT_S,
        check=False,
    )
    os.close(reading)
    os.close(writing)
    return done.stdout if b"ESCAPED" in done.stdout else done.stderr


def confined(engine: Engine, program: str) -> bytes:
    """What the program prints within the sandbox."""
    language = python()
    limits = LIMITS | ({"wall_s": 1.0} if SLEEPING in program else {})
    order = language.order(language.execute, **limits)
    outcome = engine.run(order, framed(program.encode()), 1 << 20)
    return b"" if outcome.flooded else outcome.stdout


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(program, id=f"{name}-{number}")
        for name, programs in ABUSES.items()
        for number, program in enumerate(programs, 1)
    ],
)
def test_works_without_the_sandbox_and_not_within(
    engine: Engine, surroundings: Surroundings, program: str
) -> None:
    text = surroundings.fill(program)
    before = (surroundings.scratch / "mine").read_bytes()
    said = confined(engine, text)
    assert b"ESCAPED" not in said, said
    assert (surroundings.scratch / "mine").read_bytes() == before
    assert surroundings.scratch.joinpath("expected").read_text() == "1"
    native = natively(text)
    assert b"ESCAPED" in native, native


def test_has_at_least_four_programs_in_each_of_the_fourteen_classes() -> None:
    assert len(ABUSES) == 14
    assert all(len(programs) >= 4 for programs in ABUSES.values())


def test_runs_an_honest_program_after_all_of_them(engine: Engine) -> None:
    assert confined(engine, "print(6 * 7)") == b"42\n"
