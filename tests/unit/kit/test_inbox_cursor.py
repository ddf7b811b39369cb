"""What happens to an event follows from where its entity stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.kit.inbox.cursor import Step, decide

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

    @given(order=st.permutations(range(1, 9)))
    def test_reaches_the_end_in_order_whatever_the_order_of_arrival(self, order):
        last, aside, applied = 0, set(), []
        for seq in order:
            arriving = [seq]
            while arriving:
                number = arriving.pop()
                step = decide(last, blocked=False, seq=number, predates=False)
                if step is Step.GAP:
                    aside.add(number)
                elif step is Step.APPLY:
                    last = number
                    applied.append(number)
                    if number + 1 in aside:
                        arriving.append(number + 1)
        assert applied == list(range(1, 9))
