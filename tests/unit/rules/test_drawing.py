from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.rules.drawing import (
    Candidate,
    DrawRule,
    TooFewQuestions,
    draw,
    opaque_id,
    shuffled,
)

SEED = b"\x01" * 16
seeds = st.binary(min_size=1, max_size=64)


def candidates(*strata):
    return tuple(
        Candidate(f"{stratum}-{number}", stratum) for stratum, n in strata for number in range(n)
    )


@st.composite
def exams(draw_from):
    pool = candidates(*((s, draw_from(st.integers(1, 8))) for s in "abcd"))
    rules = draw_from(
        st.lists(
            st.tuples(st.integers(1, 6), st.sets(st.sampled_from(pool), min_size=1)),
            min_size=1,
            max_size=6,
        )
    )
    return [DrawRule(f"d{i}", count, tuple(of)) for i, (count, of) in enumerate(rules)]


class TestDraw:
    @given(seeds, exams())
    def test_gives_distinct_questions_of_each_rule_or_says_what_is_missing(self, seed, rules):
        try:
            drawn = draw(seed, rules)
        except TooFewQuestions:
            return
        everything = [question for picked in drawn for question in picked]
        assert len(everything) == len(set(everything))
        for rule, picked in zip(rules, drawn, strict=True):
            assert len(picked) == rule.count
            assert set(picked) <= {candidate.id for candidate in rule.candidates}

    @given(seeds, exams(), st.randoms())
    def test_depends_on_the_seed_alone_not_on_the_order_of_rows(self, seed, rules, random):
        def reordered(rule):
            rows = list(rule.candidates)
            random.shuffle(rows)
            return DrawRule(rule.key, rule.count, tuple(rows))

        def outcome(given_rules):
            try:
                return draw(seed, given_rules)
            except TooFewQuestions as short:
                return short.draw, short.missing

        assert outcome(rules) == outcome([reordered(rule) for rule in rules])

    @given(exams(), seeds, seeds)
    def test_is_possible_under_every_seed_or_under_none(self, rules, one, other):
        def possible(seed):
            try:
                draw(seed, rules)
            except TooFewQuestions:
                return False
            return True

        assert possible(one) == possible(other)

    def test_gives_a_question_up_when_only_so_a_later_rule_can_be_filled(self):
        shared, own = Candidate("shared", "s"), Candidate("own", "s")
        for number in range(20):
            drawn = draw(
                bytes([number]), [DrawRule("a", 1, (shared, own)), DrawRule("b", 1, (shared,))]
            )
            assert drawn == [["own"], ["shared"]]

    def test_spreads_over_strata_as_evenly_as_it_can(self):
        rule = DrawRule("d", 7, candidates(("a", 9), ("b", 9), ("c", 1)))
        for number in range(50):
            (drawn,) = draw(bytes([number]), [rule])
            spread = Counter(question[0] for question in drawn)
            assert spread == Counter(a=3, b=3, c=1)

    def test_gives_every_question_its_chance(self):
        rule = DrawRule("d", 2, candidates(("a", 4), ("b", 4)))
        counts = Counter(
            question
            for number in range(2000)
            for question in draw(number.to_bytes(4, "big"), [rule])[0]
        )
        assert len(counts) == 8
        assert all(400 <= count <= 600 for count in counts.values())

    def test_says_which_rule_comes_out_short_and_by_how_much(self):
        with pytest.raises(TooFewQuestions) as short:
            draw(SEED, [DrawRule("easy", 2, candidates(("a", 9))), DrawRule("hard", 5, ())])
        assert (short.value.draw, short.value.missing) == ("hard", 5)


class TestShuffled:
    @given(seeds, st.lists(st.text(), unique=True))
    def test_keeps_every_item(self, seed, items):
        assert sorted(shuffled(seed, "x", items)) == sorted(items)

    def test_differs_between_purposes_and_seeds(self):
        items = [str(number) for number in range(20)]
        orders = {
            tuple(shuffled(seed, purpose, items)) for seed in (b"1", b"2") for purpose in ("a", "b")
        }
        assert len(orders) == 4

    def test_puts_every_order_about_equally_often(self):
        orders = Counter(
            "".join(shuffled(number.to_bytes(4, "big"), "x", "abc")) for number in range(6000)
        )
        assert len(orders) == 6
        assert all(850 <= count <= 1150 for count in orders.values())


class TestOpaqueId:
    def test_is_the_same_for_one_seed_and_path_only(self):
        assert opaque_id(SEED, "1", "a") == opaque_id(SEED, "1", "a")
        assert (
            len({opaque_id(SEED, "1", "a"), opaque_id(SEED, "2", "a"), opaque_id(b"2", "1", "a")})
            == 3
        )

    def test_keeps_parts_of_the_path_apart(self):
        assert opaque_id(SEED, "ab", "c") != opaque_id(SEED, "a", "bc")
