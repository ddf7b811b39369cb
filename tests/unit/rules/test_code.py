"""What a program earns by its tests, against an oracle that counts one point at a time."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.resources.pool import Question
from kourse.rules.code import Judged, Outcome, Trial, share_passed

OUTCOMES = st.sampled_from(list(Outcome))


def question(weights, credit="Proportional"):
    tests = [
        {"key": f"test-{n}", "expected": "1", "weight": weight} for n, weight in enumerate(weights)
    ]
    return Question.model_validate(
        {
            "key": "double",
            "type": "Code",
            "prompt": "Double it.",
            "explanation": "Twice.",
            "partialCredit": credit,
            "code": {"language": "Python", "tests": tests},
        }
    )


def judged(outcomes):
    return Judged({f"test-{n}": Trial(one) for n, one in enumerate(outcomes)})


def counted(weights, outcomes):
    """One ticket for each unit of weight; the share of tickets whose test passed."""
    tickets = [
        outcome is Outcome.PASSED
        for weight, outcome in zip(weights, outcomes, strict=True)
        for _ in range(weight)
    ]
    return Fraction(tickets.count(True), len(tickets))


TRIALS = st.lists(st.tuples(st.integers(1, 100), OUTCOMES), min_size=1, max_size=50)


class TestSharePassed:
    @given(TRIALS)
    def test_is_the_weight_of_the_tests_passed(self, trials):
        weights, outcomes = zip(*trials, strict=True)
        assert share_passed(question(weights), judged(outcomes)) == counted(weights, outcomes)

    @given(TRIALS)
    def test_is_all_or_nothing_without_partial_credit(self, trials):
        weights, outcomes = zip(*trials, strict=True)
        share = share_passed(question(weights, "None"), judged(outcomes))
        assert share == (set(outcomes) == {Outcome.PASSED})

    @given(TRIALS, st.data())
    def test_never_falls_when_one_more_test_is_passed(self, trials, data):
        weights, outcomes = map(list, zip(*trials, strict=True))
        before = share_passed(question(weights), judged(outcomes))
        outcomes[data.draw(st.integers(0, len(outcomes) - 1))] = Outcome.PASSED
        assert share_passed(question(weights), judged(outcomes)) >= before

    def test_is_nothing_for_tests_of_which_the_judge_said_nothing(self):
        assert share_passed(question([1, 2]), Judged({})) == 0
