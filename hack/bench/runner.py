"""The runner beside a naive one: the same sandbox, with a fresh interpreter for every test."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from hack.bench.figures import Figure
from kourse.runner.engine import Engine
from kourse.runner.judge import Judge, Work, framed
from kourse.runner.languages import Language, interpreter, java, python
from kourse.runner.verdicts import Limits, Status

TESTS = 60
ROUNDS = 3
JAVA_TESTS = 5
LIMITS = Limits(cpu_s=10, wall_s=60)
SOURCE = b"import collections, json, re\nprint(int(input()) * 2)\n"
CLASS = (
    b"public class Main { public static void main(String[] a) {"
    b" System.out.println(new java.util.Scanner(System.in).nextInt() * 2); } }"
)
NAIVE = (
    "import sys; n = int.from_bytes(sys.stdin.buffer.raw.read(8), 'big'); "
    "exec(compile(sys.stdin.buffer.raw.read(n), 'main.py', 'exec'))"
)


def measure() -> list[Figure]:
    """Tests a second of both, in turns on one sandbox; the ratio is the median of the rounds'."""
    with tempfile.TemporaryDirectory() as harness:
        Path(harness).chmod(0o755)
        engine = Engine()
        engine.start()
        try:
            return [_python(engine), *_java(engine, Path(harness))]
        finally:
            engine.stop()


def _python(engine: Engine) -> Figure:
    ours = python()
    naive = replace(ours, execute=(interpreter(), "-I", "-S", "-u", "-c", NAIVE))
    pairs = [(_per_test(engine, naive), _per_test(engine, ours)) for _ in range(ROUNDS)]
    ratio, slow, fast = sorted((slow / fast, slow, fast) for slow, fast in pairs)[ROUNDS // 2]
    detail = f"{fast * 1000:.1f} ms a test against {slow * 1000:.1f} ms, one at a time"
    return Figure("Python: faster than a process per test", ratio, "x", 3, "at least", detail)


def _java(engine: Engine, harness: Path) -> list[Figure]:
    language = java(harness)
    if language is None:
        return []
    kept = Judge(engine)
    started = perf_counter()
    for number in range(JAVA_TESTS):
        _judge(kept, language, CLASS, number)
    together = perf_counter() - started
    started = perf_counter()
    for number in range(JAVA_TESTS):
        _judge(Judge(engine), language, CLASS, number)
    apart = perf_counter() - started
    detail = f"{JAVA_TESTS} tests in {together:.2f} s against {apart:.2f} s compiled for each"
    name = "Java: faster than compiling for each test"
    return [Figure(name, apart / together, "x", 1, "at least", detail)]


def _per_test(engine: Engine, language: Language) -> float:
    """Seconds a test, with the source checked already."""
    order = language.order(language.execute, LIMITS.cpu_s, LIMITS.wall_s, LIMITS.memory_mib)
    started = perf_counter()
    for number in range(TESTS):
        outcome = engine.run(order, framed(SOURCE) + b"%d\n" % number)
        if outcome.stdout != b"%d\n" % (number * 2):
            raise RuntimeError(f"a wrong answer: {outcome}")
    return (perf_counter() - started) / TESTS


def _judge(judge: Judge, language: Language, source: bytes, number: int) -> None:
    work = Work(language, source, b"%d\n" % number, b"%d" % (number * 2), LIMITS)
    found = judge.judge(work)
    if found.status is not Status.ACCEPTED:
        raise RuntimeError(f"a wrong answer: {found}")
