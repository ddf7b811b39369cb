"""Which faults strike when: a pure function of the seed, so that a failure can be had again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

SERVICES = ("identity", "profile", "course", "assessment", "notification", "dashboard", "gateway")


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: ``kill``, ``restart`` or ``freeze`` a process, ``cut`` a proxy, or the name of a toxic.
        target: A process of the stack, or what stands behind a proxy.
        after_s: How long after the beginning of the fault before it.
        seconds: How long it lasts; 0 for what needs no end.
        settings: Attributes of the toxic.
        share: Share of the connections that the toxic falls on.
    """

    kind: str
    target: str
    after_s: float = 0.0
    seconds: float = 0.0
    settings: Mapping[str, int] = field(default_factory=dict)
    share: float = 1.0

    @property
    def name(self) -> str:
        """What goes wrong, and where."""
        return f"{self.kind} {self.target}"


STORES = ("postgres", "rabbitmq", "redis-tokens", "redis-cache", "minio", "etcd")
KILLS = (*SERVICES, "runner", "operator", *STORES, "kubernetes", "mail")
"""Processes that are lost without warning: all there are, but the one that makes the weather."""
RESTARTS = ("postgres", "rabbitmq", "notification")
"""Processes that are asked to stop, as for an upgrade."""
FREEZES = (("redis-cache", 5.0), ("course", 3.0), ("notification", 3.0))
"""Processes that stand still and come back believing that no time has passed."""
CUTS = (("redis-cache", 5.0), ("rabbitmq", 2.0), ("postgres", 1.0), ("identity-rpc", 2.0))
"""Addresses that refuse connections for a while."""
TOXICS = (
    Fault("latency", "postgres", seconds=3, settings={"latency": 40, "jitter": 40}),
    Fault("latency", "redis-cache", seconds=5, settings={"latency": 200, "jitter": 100}),
    Fault("latency", "rabbitmq", seconds=4, settings={"latency": 100, "jitter": 100}),
    Fault("bandwidth", "rabbitmq", seconds=4, settings={"rate": 64}),
    Fault("slow_close", "postgres", seconds=4, settings={"delay": 1500}),
    Fault("slow_close", "rabbitmq", seconds=4, settings={"delay": 1500}),
    Fault("timeout", "rabbitmq", seconds=3, settings={"timeout": 0}),
    Fault("timeout", "redis-tokens", seconds=2, settings={"timeout": 0}),
    Fault("timeout", "course-rpc", seconds=2, settings={"timeout": 0}),
    Fault("timeout", "assessment", seconds=2, settings={"timeout": 0}),
    Fault("reset_peer", "rabbitmq", seconds=1, settings={"timeout": 300}),
    Fault("reset_peer", "postgres", seconds=1, settings={"timeout": 100}, share=0.5),
    Fault("reset_peer", "gateway", seconds=2, settings={"timeout": 50}, share=0.5),
    Fault("reset_peer", "profile", seconds=2, settings={"timeout": 50}, share=0.5),
    Fault("limit_data", "gateway", seconds=6, settings={"bytes": 2500}, share=0.7),
    Fault("limit_data", "course", seconds=5, settings={"bytes": 2500}, share=0.7),
    Fault("limit_data", "assessment", seconds=5, settings={"bytes": 4000}, share=0.7),
    Fault("limit_data", "postgres", seconds=2, settings={"bytes": 30000}, share=0.5),
    Fault("limit_data", "smtp", seconds=4, settings={"bytes": 500}, share=0.5),
    Fault("latency", "smtp", seconds=4, settings={"latency": 300, "jitter": 200}),
)
"""Disturbances of the way back, where an effect is done and its answer is lost."""

DECK = (
    *(Fault("kill", name) for name in KILLS),
    *(Fault("restart", name) for name in RESTARTS),
    *(Fault("freeze", name, seconds=seconds) for name, seconds in FREEZES),
    *(Fault("cut", name, seconds=seconds) for name, seconds in CUTS),
    *TOXICS,
)
"""Everything that goes wrong; each round deals all of it, in another order."""


def storm(seed: int, mean_gap_s: float) -> Iterator[Fault]:
    """Faults in their order, without end.

    Args:
        seed: The same seed gives the same faults with the same gaps.
        mean_gap_s: Mean time between two; each gap is uniform in half to one and a half of it.
    """
    draw = random.Random(seed)  # noqa: S311 - repeatable on purpose
    while True:
        for card in draw.sample(DECK, len(DECK)):
            yield replace(card, after_s=mean_gap_s * draw.uniform(0.5, 1.5))
