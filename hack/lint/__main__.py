"""``make lint``: runs every check, prints what fails and how long each took."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from hack.lint.rules import check_tree

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PYTHON_ROOTS = [ROOT / "services", ROOT / "operator", ROOT / "hack"]


@dataclass(frozen=True)
class Verdict:
    """What one check said."""

    name: str
    passed: bool
    output: str
    seconds: float


def _tool(name: str, *command: str) -> Verdict:
    begun = monotonic()
    env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    return Verdict(
        name, ran.returncode == 0, (ran.stdout + ran.stderr).strip(), monotonic() - begun
    )


def _own_rules() -> Verdict:
    begun = monotonic()
    found = check_tree(PYTHON_ROOTS)
    return Verdict("rules", not found, "\n".join(map(str, found)), monotonic() - begun)


def _checks() -> list[tuple[str, ...]]:
    return [
        ("mypy", "mypy"),
        ("ruff", "ruff", "check", "."),
        ("format", "ruff", "format", "--check", "."),
        ("imports", "lint-imports"),
        ("protos", "buf", "lint", "protos"),
        ("generated", sys.executable, "-m", "hack.gen", "--check"),
        ("charts", sys.executable, "-m", "hack.lint.charts"),
    ]


def main() -> int:
    """Runs the checks side by side; 1 when one fails."""
    parser = argparse.ArgumentParser(prog="make lint", description=__doc__)
    parser.parse_args()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        running = [pool.submit(_tool, *check) for check in _checks()]
        running.append(pool.submit(_own_rules))
        failed = 0
        for future in running:
            verdict = future.result()
            mark = "✓" if verdict.passed else "✗"
            print(f"{mark} {verdict.name:<10} {verdict.seconds:5.1f} s", flush=True)
            if not verdict.passed:
                failed += 1
                print(verdict.output or "(no output)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
