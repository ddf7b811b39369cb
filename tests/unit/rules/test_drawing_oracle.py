"""Drawing against trying every selection there is, on banks small enough for that."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.rules.drawing import Candidate, DrawRule, TooFewQuestions, draw

BANK = [Candidate(f"{stratum}{number}", stratum) for stratum in "abc" for number in range(2)]
seeds = st.binary(min_size=1, max_size=16)


@st.composite
def rules(draw_from):
    chosen = draw_from(
        st.lists(
            st.tuples(st.integers(1, 3), st.sets(st.sampled_from(BANK), min_size=1)),
            min_size=1,
            max_size=3,
        )
    )
    return [DrawRule(f"d{n}", count, tuple(of)) for n, (count, of) in enumerate(chosen)]


def selections(some):
    """Every way to give each rule its questions, none twice."""
    if not some:
        yield []
        return
    *before, last = some
    for picked in selections(before):
        taken = {one for part in picked for one in part}
        free = [one.id for one in last.candidates if one.id not in taken]
        for part in combinations(free, last.count):
            yield [*picked, part]


def is_possible(some):
    return next(selections(some), None) is not None


class TestDraw:
    @given(seeds, rules())
    def test_finds_a_selection_wherever_there_is_one_and_else_names_the_draw_that_is_short(
        self, seed, asked
    ):
        expected = None
        for place, rule in enumerate(asked):
            if not is_possible(asked[: place + 1]):
                reached = max(
                    count
                    for count in range(rule.count)
                    if is_possible([*asked[:place], DrawRule(rule.key, count, rule.candidates)])
                )
                expected = (rule.key, rule.count - reached)
                break
        if expected is not None:
            with pytest.raises(TooFewQuestions) as short:
                draw(seed, asked)
            assert (short.value.draw, short.value.missing) == expected
            return
        drawn = [sorted(part) for part in draw(seed, asked)]
        assert drawn in [[sorted(part) for part in one] for one in selections(asked)]

    @given(seeds, st.sets(st.sampled_from(BANK), min_size=1), st.data())
    def test_of_one_rule_spreads_as_no_other_selection_does_better(self, seed, of, data):
        count = data.draw(st.integers(1, len(of)))
        stratum = {one.id: one.stratum for one in of}

        def unevenness(ids):
            return sorted(Counter(stratum[one] for one in ids).values(), reverse=True)

        (drawn,) = draw(seed, [DrawRule("d", count, tuple(of))])
        best = min(unevenness(part) for part in combinations(stratum, count))
        assert unevenness(drawn) == best
