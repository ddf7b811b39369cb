"""What we promise, and the rules that tell how fast a promise is being broken.

An objective is a share of good events. Every window's share of bad ones is recorded, and alerts fire on
how fast they use up the budget: Google's SRE workbook, chapter 5, "multiwindow, multi-burn-rate alerts".
A long window shows that it matters, a short one that it still goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

from hack.observability.model import Alert, Recording, Severity

PERIOD = "30d"
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


@dataclass(frozen=True)
class Objective:
    """A promise about a share of events.

    Attributes:
        name: In labels and names of rules.
        text: The promise in a sentence.
        target: Least share of good events, for example 0.999.
        bad: Events per second that broke it; ``$window`` is the range.
        all: Events per second.
        least: Events in the short window below which nobody is woken.
    """

    name: str
    text: str
    target: float
    bad: str
    all: str
    least: int = 10

    @property
    def budget(self) -> float:
        """Share of events that may be bad."""
        return round(1 - self.target, 6)

    def ratio(self, window: str) -> str:
        """Name of the recorded share of bad events over a window, as PromQL."""
        return f'kourse:slo_bad:ratio_rate{window}{{slo="{self.name}"}}'


@dataclass(frozen=True)
class Burn:
    """How fast a budget is used: ``factor`` 1 uses it up in exactly the period.

    Attributes:
        long: Window that shows that it matters.
        short: Window that shows that it goes on.
        factor: Least speed in both.
    """

    long: str
    short: str
    factor: float


FAST = (Burn("1h", "5m", 14.4), Burn("6h", "30m", 6))
"""2 % of the budget in an hour, 5 % in six: somebody is woken."""
SLOW = (Burn("1d", "2h", 3), Burn("3d", "6h", 1))
"""10 % in one or in three days: somebody looks at it in working hours."""

_GATEWAY = 'service="gateway"'
_FAILED = f'{_GATEWAY},status=~"5.."'


def _slower(metric: str, than: str, matchers: str = "") -> str:
    """Events per second that took longer than a bucket's bound."""
    inner = f"{matchers}," if matchers else ""
    count = f"sum(rate({metric}_count{{{matchers}}}[$window]))"
    return f'{count} - sum(rate({metric}_bucket{{{inner}le="{than}"}}[$window]))'


def _every(metric: str, matchers: str = "") -> str:
    return f"sum(rate({metric}{{{matchers}}}[$window]))"


OBJECTIVES = (
    Objective(
        "availability",
        "99.9 % of requests are answered without a failure of ours.",
        0.999,
        bad=f"{_every('kourse_http_requests_total', _FAILED)} or vector(0)",
        all=_every("kourse_http_requests_total", _GATEWAY),
    ),
    Objective(
        "latency",
        "99 % of requests are answered within 250 ms.",
        0.99,
        bad=_slower("kourse_http_request_duration_seconds", "0.25", _GATEWAY),
        all=_every("kourse_http_request_duration_seconds_count", _GATEWAY),
    ),
    Objective(
        "freshness",
        "99 % of events take effect everywhere within 5 s.",
        0.99,
        bad=_slower("kourse_inbox_lag_seconds", "5.0"),
        all=_every("kourse_inbox_lag_seconds_count"),
    ),
    Objective(
        "mail",
        "99 % of mails are with the relay within 60 s.",
        0.99,
        bad=_slower("kourse_mail_age_seconds", "60.0"),
        all=_every("kourse_mail_age_seconds_count"),
        least=3,
    ),
    Objective(
        "provisioning",
        "95 % of changes to a resource are live within 10 s.",
        0.95,
        bad=_slower("kourse_operator_time_to_ready_seconds", "10.0"),
        all=_every("kourse_operator_time_to_ready_seconds_count"),
        least=3,
    ),
)


def recordings() -> list[Recording]:
    """The share of bad events of every objective over every window."""
    made = []
    for window in WINDOWS:
        for one in OBJECTIVES:
            bad, every = (part.replace("$window", window) for part in (one.bad, one.all))
            made.append(
                Recording(
                    f"kourse:slo_bad:ratio_rate{window}",
                    f"(({bad}) / ({every} > 0)) or ({every} * 0)",
                    {"slo": one.name},
                )
            )
    made += [
        Recording("kourse:slo_events:rate5m", one.all.replace("$window", "5m"), {"slo": one.name})
        for one in OBJECTIVES
    ]
    made += [
        Recording(
            f"kourse:slo_bad:ratio_rate{PERIOD}",
            f"avg_over_time({one.ratio('5m')}[{PERIOD}])",
            {"slo": one.name},
        )
        for one in OBJECTIVES
    ]
    made += [
        Recording("kourse:slo_budget:ratio", f"vector({one.budget:g})", {"slo": one.name})
        for one in OBJECTIVES
    ]
    return made


def alerts() -> list[Alert]:
    """A page and a ticket for every objective."""
    return [
        Alert(
            name=f"Kourse{one.name.capitalize()}Burn{speed}",
            runbook=f"KourseBurn{speed}",
            severity=severity,
            condition=_burns(one, burns),
            for_="2m" if severity is Severity.CRITICAL else "15m",
            summary=f"The error budget of {one.name} is used up too fast.",
            description=f"{one.text} {period}",
            labels={"slo": one.name},
        )
        for one in OBJECTIVES
        for speed, severity, burns, period in (
            ("Fast", Severity.CRITICAL, FAST, "At this speed the month's budget is gone in hours."),
            ("Slow", Severity.WARNING, SLOW, "At this speed the month's budget is gone in days."),
        )
    ]


def _burns(one: Objective, burns: tuple[Burn, ...]) -> str:
    """Both windows of one of the pairs burn, and there is enough traffic to tell."""
    pairs = [
        f"({one.ratio(burn.long)} > {burn.factor * one.budget:g}"
        f" and {one.ratio(burn.short)} > {burn.factor * one.budget:g})"
        for burn in burns
    ]
    traffic = f'kourse:slo_events:rate5m{{slo="{one.name}"}} * 300 >= {one.least}'
    if burns is SLOW:
        return " or ".join(pairs)
    return f"({' or '.join(pairs)}) and on (slo) {traffic}"
