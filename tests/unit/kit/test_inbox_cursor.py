"""What happens to an event follows from where its entity stands."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.kit.delivery import Delivery
from kourse.kit.inbox.cursor import Arrival, Standing, Step, decide, plan
from kourse.kit.inbox.handlers import grouped

NOW = datetime(2026, 1, 1, tzinfo=UTC)

STANDINGS = {"last_seq": st.integers(0, 50), "blocked": st.booleans(), "predates": st.booleans()}


class TestDecide:
    @pytest.mark.parametrize(
        ("last_seq", "blocked", "seq", "predates", "step"),
        [
            (0, False, 1, False, Step.APPLY),
            (0, False, 2, False, Step.GAP),
            (0, False, 7, True, Step.APPLY),
            (4, False, 5, False, Step.APPLY),
            (4, False, 6, False, Step.GAP),
            (4, False, 6, True, Step.GAP),
            (4, False, 4, False, Step.DUPLICATE),
            (4, False, 1, True, Step.DUPLICATE),
            (4, True, 5, False, Step.BLOCKED),
            (4, True, 9, False, Step.BLOCKED),
            (4, True, 4, False, Step.DUPLICATE),
            (0, True, 1, True, Step.BLOCKED),
        ],
    )
    def test_follows_the_table(self, last_seq, blocked, seq, predates, step):
        assert decide(last_seq, blocked=blocked, seq=seq, predates=predates) is step

    @given(seq=st.integers(1, 60), **STANDINGS)
    def test_never_applies_an_event_twice(self, seq, last_seq, blocked, predates):
        step = decide(last_seq, blocked=blocked, seq=seq, predates=predates)
        assert (step is Step.DUPLICATE) == (seq <= last_seq)

    @given(seq=st.integers(1, 60), **STANDINGS)
    def test_never_skips_a_number_once_it_knows_the_entity(self, seq, last_seq, blocked, predates):
        step = decide(last_seq, blocked=blocked, seq=seq, predates=predates)
        if step is Step.APPLY and last_seq > 0:
            assert seq == last_seq + 1


def arrival(seq, entity="a"):
    delivery = Delivery(
        id=uuid5(NAMESPACE_OID, f"{entity}/{seq}"),
        tenant="demo",
        type="profile.group.joined",
        version=1,
        stream="group",
        entity=entity,
        seq=seq,
        time=NOW,
        started_at=NOW,
    )
    return Arrival(delivery, b"{}")


class Kept:
    """A database in memory: where entities stand, what takes effect, and what waits."""

    def __init__(self):
        self.standings = {}
        self.effects = []
        self.aside = {}

    def take(self, batch):
        """As the inbox does: the batch, and then whatever it made due."""
        while batch:
            standings = {a.entity: self.standings.get(a.entity, Standing(0, False)) for a in batch}
            made = plan(batch, standings, lambda _: False)
            self.effects += [(each.delivery.entity, each.delivery.seq) for each in made.applied]
            for each in made.applied:
                self.aside.pop((each.entity, each.delivery.seq), None)
            for each, _step in made.aside:
                self.aside[each.entity, each.delivery.seq] = each
            for entity, last_seq in made.reached.items():
                self.standings[entity] = Standing(last_seq, False)
            due = [(entity, last_seq + 1) for entity, last_seq in made.reached.items()]
            batch = [self.aside[place] for place in due if place in self.aside]

    def of(self, entity):
        return [seq for of, seq in self.effects if of == entity]


@st.composite
def deliveries(draw):
    """Every event of a few entities at least once, in any order, cut into batches anywhere."""
    lengths = draw(st.dictionaries(st.sampled_from("abc"), st.integers(1, 8), min_size=1))
    events = [(entity, seq) for entity, length in lengths.items() for seq in range(1, length + 1)]
    again = draw(st.lists(st.sampled_from(events), max_size=10))
    order = draw(st.permutations(events + again))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=6)) | {len(order)})
    return lengths, [order[a:b] for a, b in zip([0, *cuts], cuts, strict=False)]


class TestPlan:
    @given(given=deliveries())
    def test_ends_as_in_order_whatever_the_order_the_repeats_and_the_batches(self, given):
        lengths, batches = given
        kept = Kept()
        for batch in batches:
            kept.take([arrival(seq, entity) for entity, seq in batch])
        for entity, length in lengths.items():
            assert kept.of(entity) == list(range(1, length + 1))
            assert kept.standings["group", entity] == Standing(length, False)
        assert kept.aside == {}

    @given(last_seq=st.integers(0, 9), numbers=st.lists(st.integers(1, 20), min_size=1))
    def test_accounts_for_every_event_once(self, last_seq, numbers):
        batch = [arrival(seq) for seq in numbers]
        made = plan(batch, {("group", "a"): Standing(last_seq, False)}, lambda _: False)
        applied = {each.delivery.seq for each in made.applied}
        repeated = {each.delivery.seq for each in made.duplicates}
        waiting = {each.delivery.seq for each, _ in made.aside}
        assert applied | repeated | waiting == set(numbers)
        assert len(made.applied) == len(applied)
        assert len(made.aside) == len(waiting)
        assert not applied & waiting

    @given(numbers=st.lists(st.integers(1, 20), min_size=1))
    def test_sets_everything_new_of_a_blocked_entity_aside(self, numbers):
        standing = {("group", "a"): Standing(5, True)}
        made = plan([arrival(seq) for seq in numbers], standing, lambda _: False)
        assert made.applied == []
        assert made.reached == {}
        assert {step for _, step in made.aside} <= {Step.BLOCKED}
        assert {each.delivery.seq for each, _ in made.aside} == {n for n in numbers if n > 5}

    def test_begins_with_the_first_of_a_batch_where_the_entity_is_older_than_the_consumer(self):
        batch = [arrival(8), arrival(7)]
        made = plan(batch, {("group", "a"): Standing(0, False)}, lambda _: True)
        assert [each.delivery.seq for each in made.applied] == [7, 8]


class TestGrouped:
    @given(
        sequence=st.lists(
            st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", "z"])), max_size=30
        )
    )
    def test_keeps_the_order_of_every_entity_in_groups_of_one_type(self, sequence):
        arrivals = []
        for seq, (entity, type_) in enumerate(sequence, 1):
            made = arrival(seq, entity)
            arrivals.append(replace(made, delivery=made.delivery._replace(type=type_)))
        groups = grouped(arrivals)
        assert all(len({each.delivery.type for each in group}) == 1 for group in groups)
        taken = [each for group in groups for each in group]
        for entity in "abc":
            before = [each for each in arrivals if each.delivery.entity == entity]
            assert [each for each in taken if each.delivery.entity == entity] == before

    def test_makes_one_group_of_a_type_that_other_entities_events_interrupt(self):
        kinds = ["x", "y", "x", "y"]
        arrivals = [
            replace(made, delivery=made.delivery._replace(type=type_))
            for type_, made in zip(kinds, map(arrival, [1, 1, 1, 1], "abcd"), strict=True)
        ]
        assert [len(group) for group in grouped(arrivals)] == [2, 2]
