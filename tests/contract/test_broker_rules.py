"""Everything that is declared at the broker, by whomever, keeps the rules of RabbitMQ 4.x."""

import ast
from pathlib import Path

import pytest

from kourse.contracts.resources import BY_KIND
from kourse.kit import topology
from kourse.kit.topology import platform_topology
from kourse_operator import plans
from kourse_operator.plans.steps import Binding, Exchange, Queue, Subject
from support.broker_rules import (
    MAX_NAME,
    faults_of_exchange,
    faults_of_outside_feed,
    faults_of_queue,
)
from support.operator_fakes import SPECS

ROOT = Path(__file__).parents[2]
LONGEST = "x" * 63
"""A DNS label, which is what tenants, courses and cohorts are named by."""


def declared_by_operator():
    """What every kind of resource has at the broker, with the longest names there are."""
    for kind, spec in SPECS.items():
        model = BY_KIND[kind].spec.model_validate(
            {**spec, **({"courses": [LONGEST]} if kind == "Cohort" else {})}
        )
        yield from plans.plan(kind, Subject(LONGEST, LONGEST), model).wires


PLATFORM = list(platform_topology())
OUTSIDE = list(declared_by_operator())
QUEUES = [item for item in PLATFORM + OUTSIDE if isinstance(item, Queue | topology.Queue)]
EXCHANGES = [item for item in PLATFORM + OUTSIDE if isinstance(item, Exchange | topology.Exchange)]
BINDINGS = [item for item in PLATFORM + OUTSIDE if isinstance(item, Binding | topology.Binding)]
FEEDS = [item for item in OUTSIDE if isinstance(item, Queue)]
QUORUM = {"x-queue-type": "quorum", "x-delivery-limit": 20}


class TestDeclarations:
    @pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name[:60])
    def test_have_queues_that_4_x_takes_as_they_are(self, queue):
        assert faults_of_queue(queue.name, queue.arguments) == []

    @pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange.name[:60])
    def test_have_exchanges_that_4_x_takes_as_they_are(self, exchange):
        arguments = getattr(exchange, "arguments", {})

        assert faults_of_exchange(exchange.name, exchange.type, arguments) == []

    def test_have_bindings_within_the_protocols_limits(self):
        assert max(len(binding.key.encode()) for binding in BINDINGS) <= MAX_NAME

    def test_have_outside_feeds_that_hold_nobody_up(self):
        assert FEEDS
        assert [
            fault for feed in FEEDS for fault in faults_of_outside_feed(feed.name, feed.arguments)
        ] == []

    def test_dead_letter_only_to_exchanges_that_are_there(self):
        there = {exchange.name for exchange in EXCHANGES}
        wanted = {queue.arguments.get("x-dead-letter-exchange") for queue in QUEUES} - {None}

        assert wanted <= there


class TestRules:
    @pytest.mark.parametrize(
        ("arguments", "fault"),
        [
            ({}, "states no queue type"),
            ({"x-queue-type": "quorum"}, "without a delivery limit"),
            ({**QUORUM, "x-max-priority": 5}, "are no arguments of a quorum queue"),
            ({**QUORUM, "x-queue-mode": "lazy"}, "are no arguments of a quorum queue"),
            ({**QUORUM, "x-overflow": "reject-publish-dlx"}, "is no overflow"),
            ({**QUORUM, "x-message-ttl": "60000"}, "is not a positive whole number"),
            ({**QUORUM, "x-dead-letter-routing-key": "k"}, "but no exchange"),
            (
                {
                    **QUORUM,
                    "x-dead-letter-exchange": "e",
                    "x-dead-letter-strategy": "at-least-once",
                },
                "falls back to at-most-once",
            ),
            ({"x-queue-type": "classic", "x-ha-policy": "all"}, "are no arguments"),
            ({"x-queue-type": "classic", "x-delivery-limit": 20}, "are no arguments"),
        ],
    )
    def test_find_what_4_x_refuses_or_leaves_undone(self, arguments, fault):
        (found,) = faults_of_queue("queue", arguments)

        assert fault in found

    def test_find_a_feed_that_could_hold_the_relay_up(self):
        found = faults_of_outside_feed("feed", {"x-overflow": "reject-publish", "x-max-length": 5})

        assert found == ["feed does not drop its oldest", "feed has no x-message-ttl"]


def calls(name):
    """Every call of a function or method of this name in the code that runs, with its keywords."""
    for folder in ("services", "operator"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                called = getattr(node, "func", None)
                if isinstance(called, ast.Attribute) and called.attr == name:
                    yield path, {word.arg: word.value for word in node.keywords}


class TestCode:
    @pytest.mark.parametrize("name", ["set_qos", "basic_qos"])
    def test_never_asks_for_a_global_prefetch(self, name):
        found = list(calls(name))

        assert found
        assert [path for path, words in found if words.keys() & {"global_", "global_qos"}] == []

    def test_declares_durable_queues_only(self):
        found = [words for _, words in calls("queue_declare") if "passive" not in words]

        assert found
        for words in found:
            assert ast.unparse(words["durable"]) == "True"
            assert not words.keys() & {"exclusive", "auto_delete"}
