"""Panels that several dashboards are made of: rate, errors and time of calls, use of pools."""

from __future__ import annotations

from hack.observability.dashboards import RATE, Panel, Query, Unit

LIVE = (
    "sum by (kind) (max by (kind, namespace)"
    ' (kourse_operator_resource_condition{type="Ready",status="True"}))'
)
"""Objects that are live as they stand, by kind; every replica of the operator counts all of them."""


def graph(title: str, text: str, unit: Unit, *queries: tuple[str, str]) -> Panel:
    """A graph of what the queries, each with its legend, tell."""
    return Panel(title, text, unit, tuple(Query(expr, legend) for expr, legend in queries))


def number(title: str, text: str, unit: Unit, expr: str, *, worry: float | None = None) -> Panel:
    """The newest value, red from ``worry`` on."""
    return Panel(title, text, unit, (Query(expr, ""),), is_number=True, worry=worry)


def rate(metric: str, by: str = "", matchers: str = "") -> str:
    """Events per second, summed but for the labels ``by``."""
    return f"sum by ({by}) (rate({metric}{{{matchers}}}[{RATE}]))"


def quantile(share: float, metric: str, by: str = "", matchers: str = "") -> str:
    """The value below which this share of a histogram's observations lies; 0 where there are none."""
    labels = f"{by}, le" if by else "le"
    buckets = f"sum by ({labels}) (rate({metric}_bucket{{{matchers}}}[{RATE}]))"
    return f"histogram_quantile({share}, {buckets}) >= 0 or sum by ({by}) ({metric}_count{{{matchers}}}) * 0"


def share(part: str, whole: str) -> str:
    """A part of a whole, 0 where there is nothing of either."""
    return f"(({part}) / ({whole} > 0)) or ({whole}) * 0"


def quantiles(title: str, text: str, metric: str, by: str = "", matchers: str = "") -> Panel:
    """Median and slow end of a time."""
    legend = f"{{{{{by}}}}} " if by else ""
    pairs = [(quantile(q, metric, by, matchers), f"{legend}p{round(q * 100)}") for q in (0.5, 0.95)]
    return graph(title, text, Unit.SECONDS, *pairs)
