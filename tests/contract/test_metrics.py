"""Every metric keeps the conventions: whoever writes a query can rely on names, units and labels."""

import importlib
import pkgutil
import re

import pytest
from prometheus_client import REGISTRY

import kourse
import kourse_operator
from hack.observability.labels import LABELS
from kourse.kit.db import Database
from kourse_operator.census import Census
from kourse_operator.engine.store import Store

FOREIGN = re.compile(r"(python|process|controller_runtime|workqueue|rest_client|leader_election)_")
"""The client library's own names, and those that controller-runtime has made common."""
SENTENCE = re.compile(r"[A-Za-z].{10,}", re.DOTALL)
UNITS = ("_seconds", "_bytes", "_ratio", "_info")
COUNTS = frozenset(
    {
        "kourse_audit_broken_trails",
        "kourse_component_up",
        "kourse_db_pool_connections",
        "kourse_db_pool_connections_in_use",
        "kourse_feed_streams",
        "kourse_gateway_breaker_open",
        "kourse_gateway_streams",
        "kourse_hash_pool_in_hand",
        "kourse_hash_pool_places",
        "kourse_http_requests_in_flight",
        "kourse_inbox_blocked_entities",
        "kourse_judging_programs",
        "kourse_inbox_dead_letters",
        "kourse_inbox_gaps",
        "kourse_inbox_parked",
        "kourse_inbox_parts",
        "kourse_mail_in_hand",
        "kourse_operator_batch_size",
        "kourse_operator_exams_late",
        "kourse_operator_resource_condition",
        "kourse_outbox_parts",
        "kourse_outbox_pending",
        "kourse_runner_programs_running",
        "kourse_runner_submissions",
        "kourse_runner_submissions_max",
        "kourse_topology_mismatches",
        "kourse_webhook_calls_in_hand",
    }
)
"""Gauges and histograms of things that are counted, and so have no unit."""


@pytest.fixture(scope="module")
def metrics():
    """Every metric of our own, as a scrape of all processes together would show it."""
    for package in (kourse, kourse_operator):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and ".migrations." not in module.name:
                importlib.import_module(module.name)
    pool = Database("postgresql+psycopg://nobody@127.0.0.1:1/none", "contract")
    found = [*REGISTRY.collect(), *Census(Store(str)).collect()]
    assert pool.schema == "contract"
    return [metric for metric in found if not FOREIGN.match(metric.name)]


def labels_of(name):
    collector = REGISTRY._names_to_collectors.get(name)
    return getattr(collector, "_labelnames", ())


class TestMetric:
    def test_has_the_prefix(self, metrics):
        assert len(metrics) > 40
        assert [m.name for m in metrics if not m.name.startswith("kourse_")] == []

    def test_is_counted_in_base_units(self, metrics):
        wrong = [
            metric.name
            for metric in metrics
            if metric.type in {"gauge", "histogram"}
            and not metric.name.endswith(UNITS)
            and metric.name not in COUNTS
        ]
        assert wrong == []

    def test_with_no_unit_exists(self, metrics):
        assert COUNTS - {metric.name for metric in metrics} == set()

    def test_says_what_it_is_in_a_sentence(self, metrics):
        texts = {metric.name: metric.documentation for metric in metrics}
        assert {name for name, text in texts.items() if not SENTENCE.fullmatch(text)} == set()

    def test_has_only_labels_whose_values_are_few(self, metrics):
        used = {m.name: set(labels_of(m.name)) - {"le"} for m in metrics}
        unknown = {name: labels - LABELS.keys() for name, labels in used.items()}
        assert {name: labels for name, labels in unknown.items() if labels} == {}
