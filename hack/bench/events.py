"""The event backbone beside plain publishing, on servers of its own.

Each figure is a median over interleaved rounds of one run, after a warm-up. Every round ends by comparing
effects with events: equal counts and sums, nothing left and nothing set aside, or the bench fails. What is
published goes to 16 quorum queues with a single active consumer, by a topic exchange, persistent and
mandatory; aio-pika and the raw frames carry the same bytes to a virtual host of their own.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import uvloop

from hack.bench.events_flow import Flow
from hack.bench.events_load import Learners, archive
from hack.bench.events_publish import aio_pika_rate, empty_queues, raw_rate
from hack.bench.events_rooms import Room, Servers, servers
from hack.bench.events_write import Rates, write_rates
from hack.bench.figures import Figure

ROUNDS = 5
WARM_UP = 4000
EVENTS = 20_000
"""In a round of throughput."""
PLAIN = 10_000
"""Messages in a round of aio-pika."""
DELAY_ROUNDS = 3
DELAY_S = 5.0
WRITE_ROUNDS, WRITE_S = 20, 0.4
"""Short ones in turns, so that what else the machine does meets both kinds alike."""
FEW, MANY = 1000, 1_000_000
"""Archived rows."""


@dataclass(frozen=True)
class Round:
    """A round of throughput, in events per second."""

    raw: float
    plain: float
    flow: float


def measure() -> list[Figure]:
    """Starts servers, measures, and stops them."""
    with tempfile.TemporaryDirectory(prefix="kourse-bench-") as folder:
        _say("starting PostgreSQL, RabbitMQ and Redis")
        with servers(Path(folder) / "state") as started:
            return _measure(started, Path(folder))


def _measure(started: Servers, folder: Path) -> list[Figure]:
    _say("making databases and virtual hosts")
    publishing, writing = started.room("publishing"), started.room("writing")
    few = Flow(started.room("few"), folder / "few")
    many = Flow(started.room("many"), folder / "many")
    writes = _writes(writing)
    with few.running():
        rates = _throughput(publishing, few)
    half = median(rate.flow for rate in rates) / 2
    delays = _delays(few, many, half)
    return [
        *_of_throughput(rates),
        _of_delay(delays, half),
        _of_writes(writes),
        _of_archive(delays),
    ]


def _throughput(publishing: Room, flow: Flow) -> list[Round]:
    uvloop.run(empty_queues(publishing.broker_url))
    flow.rate(WARM_UP)
    learners, rates = Learners.some(2000), []
    for number in range(ROUNDS + 1):
        rows = list(learners.rows(EVENTS))
        raw = uvloop.run(raw_rate(publishing.broker_url, rows))
        uvloop.run(empty_queues(publishing.broker_url))
        plain = uvloop.run(aio_pika_rate(publishing.broker_url, rows[:PLAIN]))
        uvloop.run(empty_queues(publishing.broker_url))
        rate = Round(raw, plain, flow.rate(EVENTS))
        _say(f"raw {raw:,.0f}/s, aio-pika {plain:,.0f}/s, row to effect {rate.flow:,.0f}/s")
        if number:  # the first one warms all three
            rates.append(rate)
    return rates


def _delays(few: Flow, many: Flow, per_second: float) -> dict[str, list[list[float]]]:
    """Delays of each round, with few and with many archived rows, in turns."""
    with ExitStack() as stack:
        for flow in (few, many):
            stack.enter_context(flow.running(timed=True))
            flow.rate(WARM_UP)
        for flow, count in ((few, FEW), (many, MANY)):
            _say(f"archiving {count:,} rows")
            with flow.room.admin() as connection:
                archive(connection, count)
        found: dict[str, list[list[float]]] = {"few": [], "many": []}
        for number in range(DELAY_ROUNDS + 1):
            for name, flow in (("few", few), ("many", many)):
                delays = flow.delays(per_second, DELAY_S)
                _say(f"{name} archived, {per_second:,.0f}/s: p99 {_p99(delays) * 1e3:.0f} ms")
                if number:
                    found[name].append(delays)
        return found


def _writes(room: Room) -> list[Rates]:
    rates = uvloop.run(write_rates(room, WRITE_ROUNDS, WRITE_S))
    for rate in rates:
        _say(f"bare write {rate.bare:,.0f}/s, with its event {rate.with_event:,.0f}/s")
    return rates


def _of_throughput(rates: Sequence[Round]) -> list[Figure]:
    flow = f"row to effect {_range([rate.flow for rate in rates])}/s"
    plain, raw = [rate.plain for rate in rates], [rate.raw for rate in rates]
    return [
        _ratio(
            "row to effect / aio-pika publishing",
            [rate.flow / rate.plain for rate in rates],
            1.0,
            f"{flow}, aio-pika {_range(plain)}/s",
        ),
        _ratio(
            "row to effect / raw confirmed ceiling",
            [rate.flow / rate.raw for rate in rates],
            0.6,
            f"{flow}, raw {_range(raw)}/s",
        ),
    ]


def _of_writes(rates: Sequence[Rates]) -> Figure:
    bare, told = [rate.bare for rate in rates], [rate.with_event for rate in rates]
    return _ratio(
        "write with its outbox row / bare write",
        [rate.with_event / rate.bare for rate in rates],
        0.9,
        f"bare {_range(bare)}/s, with its event {_range(told)}/s",
    )


def _of_delay(delays: dict[str, list[list[float]]], per_second: float) -> Figure:
    tails = [_p99(each) * 1e3 for each in delays["few"]]
    return Figure(
        "p99 from commit to effect at half load",
        median(tails),
        "ms",
        100,
        detail=f"{_range(tails)} ms at {per_second:,.0f}/s",
    )


def _of_archive(delays: dict[str, list[list[float]]]) -> Figure:
    few, many = ([_p99(each) * 1e3 for each in delays[name]] for name in ("few", "many"))
    ratios = [much / little for little, much in zip(few, many, strict=True)]
    return Figure(
        f"p99 with {MANY:,} archived rows / {FEW:,}",
        median(ratios),
        "",
        1.5,
        detail=f"{_range(few)} ms, {_range(many)} ms; ratios {_range(ratios, 2)}",
    )


def _ratio(name: str, ratios: Sequence[float], target: float, detail: str) -> Figure:
    ranged = f"{_range(ratios, 2)}; {detail}"
    return Figure(name, median(ratios), "", target, "at least", ranged)


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[-1]


def _range(values: Sequence[float], digits: int = 0) -> str:
    middle, low, high = median(values), min(values), max(values)
    return f"{middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)
