"""Dashboards as data, and Grafana's form of them, built with Grafana's own library so that they are valid."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from grafana_foundation_sdk.builders import dashboard as grafana
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as StatPanel
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeriesPanel
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)

TAG = "kourse"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
RATE = "$__rate_interval"
SERVICE = "$service"
_WIDTH, _HEIGHT = 8, 7


class Unit(StrEnum):
    """Grafana's names of the units that are shown."""

    SECONDS = "s"
    SHARE = "percentunit"
    NUMBER = "short"
    PER_SECOND = "reqps"
    EVENTS = "ops"
    BYTES = "bytes"


@dataclass(frozen=True)
class Query:
    """One question to Prometheus.

    Attributes:
        expr: PromQL.
        legend: Text for each series of the answer, with ``{{label}}``.
    """

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """A graph, or one number.

    Attributes:
        title: Short.
        text: What it shows and when to worry.
        unit: Of all its values.
        queries: What it shows.
        is_number: Only the newest value matters.
        worry: The value from which on a number is red.
    """

    title: str
    text: str
    unit: Unit
    queries: tuple[Query, ...]
    is_number: bool = False
    worry: float | None = None


@dataclass(frozen=True)
class Board:
    """A dashboard.

    Attributes:
        uid: Its address in Grafana; never changes.
        title: Its name.
        text: Whom it serves.
        rows: Panels below headings.
        has_service: Whether it can be narrowed to services.
    """

    uid: str
    title: str
    text: str
    rows: dict[str, tuple[Panel, ...]] = field(default_factory=dict)
    has_service: bool = False

    def queries(self) -> list[tuple[str, str]]:
        """Every question with the panel that asks it."""
        return [
            (panel.title, query.expr)
            for panels in self.rows.values()
            for panel in panels
            for query in panel.queries
        ]


def rendered(board: Board) -> dict[str, Any]:
    """The dashboard as Grafana's JSON."""
    made = (
        grafana.Dashboard(board.title)
        .uid(board.uid)
        .description(board.text)
        .tags([TAG])
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-1h", "now")
        .refresh("30s")
        .readonly()
        .with_variable(grafana.DatasourceVariable("datasource").label("Source").type("prometheus"))
        .link(grafana.DashboardLink("Others").tags([TAG]).as_dropdown(True).keep_time(True))
        .annotation(_deployments())
    )
    if board.has_service:
        made = made.with_variable(_services())
    number = 0
    for heading, panels in board.rows.items():
        number += 1
        made = made.with_row(grafana.Row(heading).id(number))
        for panel in panels:
            number += 1
            made = made.with_panel(_panel(panel, number))
    document: dict[str, Any] = json.loads(json.dumps(made.build(), cls=JSONEncoder))
    return document


def _services() -> grafana.QueryVariable:
    return (
        grafana.QueryVariable("service")
        .label("Service")
        .datasource(SOURCE)
        .query("label_values(kourse_build_info, service)")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .multi(True)
        .include_all(True)
        .all_value(".+")
    )


def _deployments() -> grafana.AnnotationQuery:
    return (
        grafana.AnnotationQuery()
        .name("Deployments")
        .datasource(SOURCE)
        .enable(True)
        .icon_color("blue")
        .expr("group by (service, version) (kourse_build_info unless kourse_build_info offset 2m)")
    )


def _panel(panel: Panel, number: int) -> StatPanel | TimeSeriesPanel:
    made: StatPanel | TimeSeriesPanel = StatPanel() if panel.is_number else TimeSeriesPanel()
    made.id(number).title(panel.title).description(panel.text).unit(panel.unit).datasource(SOURCE)
    made.span(_WIDTH).height(_HEIGHT).min(0)
    if panel.worry is not None:
        made.thresholds(_red_from(panel.worry))
    for letter, query in zip("ABCDEF", panel.queries, strict=False):
        made.with_target(_target(query, letter, is_instant=panel.is_number))
    return made


def _target(query: Query, letter: str, *, is_instant: bool) -> Dataquery:
    made = Dataquery().datasource(SOURCE).expr(query.expr).legend_format(query.legend)
    made.ref_id(letter)
    return made.instant() if is_instant else made.range()


def _red_from(value: float) -> grafana.ThresholdsConfig:
    steps = [Threshold(value=None, color="green"), Threshold(value=value, color="red")]
    return grafana.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
