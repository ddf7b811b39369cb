"""Everything declared at the broker is valid on RabbitMQ 3.10 and on 4.x, and follows from the catalog."""

import pytest

from kourse.contracts import events, names
from kourse.kit.topology import Binding, Exchange, Queue, consumer_topology, platform_topology

ITEMS = platform_topology()
QUEUES = [item for item in ITEMS if isinstance(item, Queue)]
BINDINGS = [item for item in ITEMS if isinstance(item, Binding)]
QUORUM_ARGUMENTS = {
    "x-queue-type",
    "x-delivery-limit",
    "x-dead-letter-exchange",
    "x-dead-letter-routing-key",
    "x-dead-letter-strategy",
    "x-overflow",
    "x-single-active-consumer",
    "x-max-length",
    "x-message-ttl",
}
"""Arguments that a quorum queue takes on every supported version; others are refused or ignored."""


class TestPlatformTopology:
    def test_declares_nothing_twice(self):
        names_ = [(type(item), item.name) for item in ITEMS if not isinstance(item, Binding)]
        assert len(names_) == len(set(names_))

    def test_declares_both_ends_before_each_binding(self):
        seen = set()
        for item in ITEMS:
            if isinstance(item, Binding):
                assert {("exchange", item.source), (item.to, item.destination)} <= seen
            else:
                seen.add((type(item).__name__.lower(), item.name))

    @pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
    def test_has_only_quorum_queues_with_known_arguments(self, queue):
        assert queue.arguments["x-queue-type"] == "quorum"
        assert set(queue.arguments) <= QUORUM_ARGUMENTS

    @pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
    def test_dead_letters_at_least_once_only_where_the_broker_can(self, queue):
        if queue.arguments.get("x-dead-letter-strategy") == "at-least-once":
            assert queue.arguments["x-overflow"] == "reject-publish"
            assert "x-max-length" not in queue.arguments

    def test_bounds_what_nobody_took(self):
        (unrouted,) = [queue for queue in QUEUES if queue.name == names.UNROUTED_EXCHANGE]
        assert unrouted.arguments["x-overflow"] == "drop-head"
        assert {"x-max-length", "x-message-ttl"} <= set(unrouted.arguments)

    def test_gives_the_events_exchange_an_alternate(self):
        (exchange,) = [
            item
            for item in ITEMS
            if isinstance(item, Exchange) and item.name == names.EVENTS_EXCHANGE
        ]
        assert exchange.arguments == {"alternate-exchange": names.UNROUTED_EXCHANGE}

    def test_leaves_no_way_aside_for_what_queues_of_ours_await(self):
        aside = {binding.key for binding in BINDINGS if binding.source == names.UNROUTED_EXCHANGE}
        taken = {
            binding.key.rsplit(".", 1)[0]
            for binding in BINDINGS
            if binding.source == names.EVENTS_EXCHANGE and binding.to == "queue"
        }
        assert {names.type_binding(kind) for kind in events.CATALOG} == aside | {
            f"{key}.*" for key in taken
        }
        assert not {key.rsplit(".", 1)[0] for key in aside} & taken
        assert {names.type_binding(kind).rsplit(".", 1)[0] for kind in events.awaited()} == taken

    def test_has_a_dead_letter_queue_for_every_dead_letter_route(self):
        routes = {
            queue.arguments["x-dead-letter-routing-key"]
            for queue in QUEUES
            if "x-dead-letter-routing-key" in queue.arguments
        }
        bound = {
            binding.key: binding.destination
            for binding in BINDINGS
            if binding.source == names.DEAD_LETTER_EXCHANGE
        }
        assert {key: names.dead_letter_queue(key) for key in routes} == bound


@pytest.mark.parametrize("consumer", events.consumers())
class TestConsumerTopology:
    def test_has_one_active_reader_for_each_of_16_partitions(self, consumer):
        queues = [item for item in consumer_topology(consumer) if isinstance(item, Queue)]
        partitions = [queue for queue in queues if "x-single-active-consumer" in queue.arguments]
        expected = [names.consumer_queue(consumer, part) for part in range(16)]
        assert [queue.name for queue in partitions] == expected
        assert all(queue.arguments["x-delivery-limit"] == 20 for queue in partitions)

    def test_binds_whole_streams_by_partition(self, consumer):
        streams = events.streams_of(consumer)
        types = {kind.name for kind in events.types_in(streams)}
        bound = {
            (item.key, item.destination)
            for item in consumer_topology(consumer)
            if isinstance(item, Binding) and item.source == names.EVENTS_EXCHANGE
        }
        assert bound == {
            (f"{type_}.*.*.*.p{part:02d}", names.consumer_queue(consumer, part))
            for type_ in types
            for part in range(16)
        }


class TestCatalog:
    def test_has_one_producer_for_each_stream_so_that_one_sequence_counts_it(self):
        producers = {}
        for kind in events.CATALOG.values():
            producers.setdefault(kind.stream, set()).add(kind.producer)
        assert all(len(names_) == 1 for names_ in producers.values())
