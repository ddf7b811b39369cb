"""Write the generated files, or name those that are out of date.

``python -m hack.gen [protos] [--check]``: all generators by default; with ``--check`` nothing is
written and the exit status is 1 when a committed file differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from hack.gen import outputs

GENERATORS = (
    "asyncapi",
    "crds",
    "env",
    "event_page",
    "golang",
    "mails",
    "observability",
    "protos",
    "routes",
    "schemas",
)
"""Modules of this package with ``files()`` and, where files can become orphans, ``stale()``."""


def main() -> int:
    """Run the chosen generators.

    Returns:
        0, or 1 when ``--check`` finds a difference or a generator refuses to write.
    """
    parser = argparse.ArgumentParser(prog="python -m hack.gen", description=__doc__)
    parser.add_argument("generators", nargs="*", metavar="GENERATOR", help=", ".join(GENERATORS))
    parser.add_argument("--check", action="store_true", help="write nothing; fail on a difference")
    options = parser.parse_args()
    chosen = options.generators or list(GENERATORS)
    unknown = set(chosen) - set(GENERATORS)
    if unknown:
        parser.error(f"unknown generator: {', '.join(sorted(unknown))}")
    act = outputs.drift if options.check else outputs.write
    try:
        changed = [path for name in chosen for path in _run(name, act)]
    except outputs.RefusedError as refused:
        print(refused, file=sys.stderr)
        return 1
    for path in changed:
        print(f"{'out of date: ' if options.check else 'wrote '}{path}")
    return 1 if options.check and changed else 0


def _run(name: str, act: Callable[..., list[str]]) -> list[str]:
    module = import_module(f"hack.gen.{name}")
    stale: list[Path] = module.stale() if hasattr(module, "stale") else []
    return act(module.files(), stale)


if __name__ == "__main__":
    sys.exit(main())
