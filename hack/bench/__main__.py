"""``make bench``: runs the benchmarks named, or all, and exits 1 when a figure falls short."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from importlib import import_module
from pathlib import Path

from hack.bench.figures import Figure, calibration

BENCHMARKS = {
    "stack": "time and memory of the local stack",
    "events": "the event backbone, from outbox row to effect",
    "audit": "the audit trail, sealed behind the acts",
    "operator": "the operator beside one in Go",
    "login": "log-ins in a storm, and who is in already",
    "learning": "course pages, completed lessons and a class that joins",
    "assessment": "saved answers, and a thousand attempts that end at once",
    "dashboard": "learners' and teachers' views, kept and made",
    "notification": "notices, from the event to the feed and to the mail relay",
    "runner": "the sandbox for programs beside a process per test",
    "cluster": "the charts in a kind cluster",
}
RESULTS = Path(".kourse") / "bench"


def _print(name: str, figures: list[Figure]) -> None:
    print(f"{name}: {BENCHMARKS[name]}")
    for figure in figures:
        mark = "✓" if figure.holds else "✗"
        shown = f"{figure.value:10.2f} {figure.unit:<4}"
        print(f"  {mark} {figure.name:<44}{shown} {figure.bound} {figure.target:g} {figure.unit}")
        if figure.detail:
            print(f"      {figure.detail}")


def main() -> int:
    """Runs the benchmarks; 1 when a figure does not hold."""
    parser = argparse.ArgumentParser(prog="python -m hack.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    names = parser.parse_args().names or list(BENCHMARKS)
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"unknown benchmark: {', '.join(sorted(unknown))}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    machine = calibration()
    print("machine: " + ", ".join(f"{key} {value}" for key, value in machine.items()))
    # Ended by a signal, as by `timeout`, a benchmark still takes its servers down.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    held = True
    for name in names:
        figures: list[Figure] = import_module(f"hack.bench.{name}").measure()
        _print(name, figures)
        rows = {"machine": machine, "figures": [figure.row() for figure in figures]}
        (RESULTS / f"{name}.json").write_text(json.dumps(rows, indent=2) + "\n")
        held = held and all(figure.holds for figure in figures)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
