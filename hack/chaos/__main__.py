"""``make soak``: thousands of journeys under a storm of faults, and every promise checked."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hack.chaos.campaign import Campaign, Outcome
from hack.chaos.striking import NotSettled
from hack.install.machine import PrerequisiteMissing
from hack.smoke.person import Unexpected
from hack.stack.handover import StackError
from hack.stack.lifecycle import stop

app = typer.Typer(add_completion=False, help=__doc__)


def table(outcome: Outcome) -> str:
    """The outcome for people."""
    tally, spent = outcome.tally, sum(outcome.cpu_seconds.values())
    lines = [
        f"seed {outcome.seed}: {outcome.journeys} journeys, {len(outcome.stuck)} stuck",
        f"{len(outcome.faults)} faults, {outcome.flushes} flushes of the cache",
        f"{tally.requests} requests, answers {dict(sorted(tally.answers.items()))}",
        f"{tally.unknown_writes} writes of unknown outcome, {tally.replayed} answers given again",
        f"{outcome.mails} e-mails, {outcome.repeated_mails} repeated",
        "seconds: " + _listed(outcome.seconds),
        f"CPU seconds {spent:.0f}, {spent / outcome.journeys:.2f} a journey: "
        + _listed(outcome.cpu_seconds),
        "",
    ]
    for verdict in outcome.verdicts:
        mark = "✓" if verdict.kept else "✗"
        lines.append(f"{mark} {verdict.promise}: {verdict.breaches} of {verdict.looked_at}")
        lines += [f"    {example}" for example in verdict.examples]
    lines += [f"✗ {stuck}" for stuck in outcome.stuck[:10]]
    return "\n".join(lines)


def _listed(amounts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {amount}" for name, amount in amounts.items())


def report(outcome: Outcome) -> str:
    """The outcome for programs: JSON, with every fault and its time."""
    rows = [asdict(verdict) | {"kept": verdict.kept} for verdict in outcome.verdicts]
    parts = {"tally": vars(outcome.tally), "verdicts": rows, "passed": outcome.passed}
    return json.dumps(vars(outcome) | parts, indent=1, default=str)


@app.command()
def main(
    journeys: Annotated[int, typer.Option(min=1, help="how many learners")] = 5000,
    seed: Annotated[int, typer.Option(help="of the storm; 0 draws one")] = 0,
    gap: Annotated[float, typer.Option(min=0.1, help="mean seconds between two faults")] = 3.0,
    state: Annotated[Path, typer.Option(help="the stack's own state directory")] = Path(".soak"),
    output: Annotated[Path, typer.Option(help="where the JSON goes")] = Path("soak.json"),
    keep: Annotated[bool, typer.Option(help="leave the stack up afterwards")] = False,  # noqa: FBT002
) -> None:
    """Runs a campaign on a stack of its own; the exit status is 0 when every promise was kept."""
    begun = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {line}", flush=True)

    chosen = seed or secrets.randbelow(1_000_000) + 1
    say(f"seed {chosen}")
    try:
        campaign = Campaign(state, seed=chosen, journeys=journeys, gap_s=gap, say=say)
        outcome = asyncio.run(campaign.run())
    except (StackError, PrerequisiteMissing, Unexpected, NotSettled) as error:
        print(f"✗ {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    finally:
        if not keep:
            stop(state)
    print(table(outcome))
    output.write_text(report(outcome))
    raise typer.Exit(0 if outcome.passed else 1)


if __name__ == "__main__":
    app()
