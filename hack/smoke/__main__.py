"""``make smoke``: takes a new learner through a new course and prints every step."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from hack.smoke.journey import Done, Journey
from hack.smoke.person import Unexpected
from hack.smoke.target import NotRunning, Target

app = typer.Typer(add_completion=False, help=__doc__)


def _line(done: Done) -> str:
    ids = "  ".join(f"{name} {value}" for name, value in done.ids.items())
    return f"✓ {done.seconds:6.2f} s  {done.title}\n             {ids}"


@app.command()
def main(
    output: Annotated[str, typer.Option("--output", "-o", help="'text' or 'json'")] = "text",
) -> None:
    """Runs the smoke against the stack that 'make up' started."""
    state = Path(os.environ.get("KOURSE_STATE", ".kourse"))
    done: list[Done] = []
    try:
        for step in Journey(Target.of_state(state)).go():
            done.append(step)
            if output == "text":
                print(_line(step), flush=True)
    except (Unexpected, NotRunning) as error:
        print(f"✗ {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    total = sum(step.seconds for step in done)
    if output == "json":
        print(json.dumps({"seconds": total, "steps": [vars(step) for step in done]}, indent=2))
    else:
        print(f"{len(done)} steps in {total:.1f} s")


if __name__ == "__main__":
    app()
