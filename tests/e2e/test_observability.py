"""What SREs look at tells of the journey that was just made: dashboards, labels, traces and logs."""

import json
import os
from contextlib import closing
from math import isnan
from pathlib import Path

import httpx2
import pytest

from hack.observability.boards import BOARDS
from hack.observability.labels import LABELS
from hack.smoke.journey import Journey
from hack.smoke.person import eventually
from hack.smoke.target import Target
from hack.stack.layout import Layout
from hack.stack.lifecycle import stop
from hack.stack.profiles import Profile
from hack.stack.sample import bring_up
from hack.stack.site import Site
from support.waiting import LONG_S

JOIN = "/v1/cohorts/join"
PANELS = [(board.uid, title, expr) for board in BOARDS for title, expr in board.queries()]


class Prometheus:
    """The stack's Prometheus, asked over its API."""

    def __init__(self, url):
        self.http = httpx2.Client(base_url=f"{url}/api/v1", timeout=30)

    def ask(self, path, **params):
        answer = self.http.get(path, params=params)
        assert answer.status_code == httpx2.codes.OK, answer.text
        return answer.json()["data"]

    def values(self, expr):
        """Values of all series that the expression, as a dashboard has it, gives now."""
        range_ = expr.replace("$__rate_interval", "5m").replace("$service", ".+")
        return [float(one["value"][1]) for one in self.ask("query", query=range_)["result"]]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A stack of this module's own that traces everything, on which the main job was just done."""
    kept = os.environ.get("KOURSE_TEST_STATE")
    state = Path(kept) / "traced" if kept else tmp_path_factory.mktemp("traced")
    try:
        bring_up(state, profile=Profile.TRACED)
        for _ in Journey(Target.of_state(state)).go():
            pass
        yield Site.load(Layout(state))
    finally:
        if not kept:
            stop(state)


@pytest.fixture(scope="module")
def prometheus(site):
    made = Prometheus(site.url("prometheus"))
    yield made
    made.http.close()


class TestDashboard:
    @pytest.mark.parametrize(("uid", "title", "expr"), PANELS)
    def test_has_data_in_every_panel(self, prometheus, uid, title, expr):
        def look():
            found = prometheus.values(expr)
            return found and not any(map(isnan, found))

        assert eventually(f"data for {uid}: {title}", look, LONG_S, pause_s=1)


class TestLabel:
    def test_takes_as_few_values_as_declared(self, prometheus):
        found = {
            label: prometheus.ask(f"label/{label}/values", **{"match[]": '{__name__=~"kourse_.*"}'})
            for label in LABELS
        }
        assert {k: len(v) for k, v in found.items() if len(v) > LABELS[k]} == {}

    def test_never_holds_an_id(self, prometheus):
        labels = prometheus.ask("labels", **{"match[]": '{__name__=~"kourse_.*"}'})
        own = set(labels) - {"__name__", "instance", "job", "le", "slo"}
        assert own <= LABELS.keys()


class TestAlertRules:
    def test_are_loaded_and_healthy(self, prometheus):
        groups = prometheus.ask("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert len(rules) > 50
        assert [rule["name"] for rule in rules if rule["health"] == "err"] == []


class Traces:
    """Zipkin, asked over its API."""

    def __init__(self, url):
        self.http = httpx2.Client(base_url=f"{url}/api/v2", timeout=30)

    def spans(self, trace):
        answer = self.http.get(f"/trace/{trace}")
        return answer.json() if answer.is_success else []


def log_lines(site, service):
    for line in site.layout.log(service).read_text(errors="replace").splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def spans_of(site, path, expected):
    """Id and spans of the latest request to a path, once its trace holds these kinds of these services."""
    (*_, trace) = (x["trace_id"] for x in log_lines(site, "gateway") if x.get("route") == path)
    traces = Traces(site.url("zipkin"))

    def look():
        found = traces.spans(trace)
        kinds = {(span["localEndpoint"]["serviceName"], span.get("kind")) for span in found}
        return expected <= kinds and found

    with closing(traces.http):
        return trace, eventually("the whole trace", look, LONG_S, pause_s=0.5)


def of(spans, service, kind, name=""):
    return [
        span
        for span in spans
        if span["localEndpoint"]["serviceName"] == service
        and span.get("kind") == kind
        and name in span["name"]
    ]


@pytest.fixture(scope="module")
def joined(site):
    """The trace in which the learner joined a class: it ends in the consumers of the event."""
    ends = {("gateway", "SERVER"), ("gateway", "CLIENT"), ("profile", "SERVER")}
    return spans_of(site, JOIN, ends | {("profile", "PRODUCER"), ("course", "CONSUMER")})


@pytest.fixture(scope="module")
def overview(site):
    """The spans of the learner's dashboard, for which four services are asked."""
    asked = {(name, "SERVER") for name in ("assessment", "course", "notification", "profile")}
    return spans_of(site, "/v1/dashboard", asked | {("dashboard", "CLIENT")})[1]


class TestTrace:
    def test_goes_from_the_gateway_to_the_service_over_rest(self, joined):
        _, spans = joined
        (edge,) = of(spans, "gateway", "SERVER", JOIN)
        (call,) = of(spans, "gateway", "CLIENT")
        (served,) = of(spans, "profile", "SERVER", JOIN)
        assert "parentId" not in edge
        assert (call["parentId"], served["parentId"]) == (edge["id"], call["id"])

    def test_shows_calls_between_services(self, overview):
        served = [s for s in overview if s.get("kind") == "SERVER" and "kourse_rpc." in s["name"]]
        calls = {span["id"] for span in of(overview, "dashboard", "CLIENT")}
        assert len(served) > 3
        assert {span["parentId"] for span in served} <= calls

    def test_shows_statements_without_their_values(self, joined):
        _, spans = joined
        tags = [span.get("tags", {}) for span in spans]
        statements = [one["db.query.text"] for one in tags if "db.query.text" in one]
        assert any(text.startswith("INSERT INTO profile.membership") for text in statements)
        assert [text for text in statements if "demo" in text] == []

    def test_goes_on_through_the_broker_to_the_consumers(self, joined):
        _, spans = joined
        assert of(spans, "profile", "PRODUCER", "publish profile.group.joined")
        taken = {s["localEndpoint"]["serviceName"] for s in spans if s.get("kind") == "CONSUMER"}
        assert taken - {"profile"}

    def test_has_one_id_in_spans_and_logs_of_every_service_in_it(self, site, joined):
        trace, spans = joined
        assert {span["traceId"] for span in spans} == {trace}
        for service in ("gateway", "profile"):
            assert any(line.get("trace_id") == trace for line in log_lines(site, service))
