from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.rules.mastery import (
    Band,
    Mastery,
    SkillParameters,
    Thresholds,
    band_of,
    folded_mastery,
    initial_mastery,
    is_right,
    posterior_mastery,
    updated_mastery,
)

TENTHS = SkillParameters(0.1, 0.1, 0.1, 0.1)
BANDS = Thresholds()

shares = st.floats(0, 1)
parameters = st.builds(SkillParameters, shares, shares, st.floats(0.01, 0.5), st.floats(0.01, 0.5))
logs = st.lists(st.booleans(), max_size=60)


def above(probability):
    """Parameters under which nothing moves far: only the probability given counts."""
    return SkillParameters(probability, 0.0, 0.5, 0.5)


class TestPosteriorMastery:
    def test_reaches_mastery_with_three_right_answers_at_tenths(self):
        p, seen = TENTHS.prior, []
        for _ in range(3):
            p = posterior_mastery(p, True, TENTHS)
            seen.append(round(p, 3))
        assert seen == [0.55, 0.925, 0.992]

    def test_agrees_with_the_published_formula_on_a_wrong_answer(self):
        given_wrong = 0.1 * 0.1 / (0.1 * 0.1 + 0.9 * 0.9)
        assert posterior_mastery(0.1, False, TENTHS) == pytest.approx(
            given_wrong + (1 - given_wrong) * 0.1
        )

    @given(shares, st.booleans(), parameters)
    def test_stays_a_probability(self, p, correct, skill):
        assert 0 <= posterior_mastery(p, correct, skill) < 1

    @given(shares, parameters)
    def test_is_never_lower_after_a_right_answer_than_after_a_wrong_one(self, p, skill):
        right, wrong = (posterior_mastery(p, correct, skill) for correct in (True, False))
        assert right >= wrong - 1e-9

    def test_can_always_be_lowered_again(self):
        state = folded_mastery([True] * 500, TENTHS, BANDS)
        assert posterior_mastery(state.probability, False, TENTHS) < state.probability


class TestBandOf:
    @pytest.mark.parametrize(
        ("probability", "band"),
        [
            (0.0, Band.REMEDIATION),
            (0.7999, Band.REMEDIATION),
            (0.80, Band.MAIN),
            (0.9499, Band.MAIN),
            (0.95, Band.CHALLENGE),
            (1.0, Band.CHALLENGE),
        ],
    )
    def test_includes_its_lower_end(self, probability, band):
        assert band_of(probability, BANDS) is band


class TestUpdatedMastery:
    def test_stays_on_the_main_path_with_fewer_than_three_answers(self):
        assert folded_mastery([True, True], SkillParameters(0.9), BANDS).band is Band.MAIN
        assert folded_mastery([False, False], TENTHS, BANDS).band is Band.MAIN

    def test_moves_up_at_once(self):
        state = Mastery(0.5, answers=5, band=Band.REMEDIATION)
        assert updated_mastery(state, True, above(0.96), BANDS).band is Band.REMEDIATION
        up = updated_mastery(Mastery(0.96, 5, Band.REMEDIATION), True, above(0.96), BANDS)
        assert (up.band, up.below) == (Band.CHALLENGE, 0)

    def test_moves_down_only_after_two_successive_updates_below(self):
        first = updated_mastery(Mastery(0.9, 5, Band.CHALLENGE), True, above(0.9), BANDS)
        assert (first.band, first.below) == (Band.CHALLENGE, 1)
        second = updated_mastery(first, True, above(0.9), BANDS)
        assert (second.band, second.below) == (Band.MAIN, 0)

    def test_forgets_one_update_below_when_the_next_is_not(self):
        slipped = Mastery(0.96, 5, Band.CHALLENGE, below=1)
        assert updated_mastery(slipped, True, above(0.96), BANDS).below == 0

    def test_falls_as_far_as_the_second_update_says(self):
        state = Mastery(0.5, 8, Band.CHALLENGE, below=1)
        assert updated_mastery(state, False, TENTHS, BANDS).band is Band.REMEDIATION


class TestFoldedMastery:
    def test_of_no_answers_is_the_prior_on_the_main_path(self):
        assert folded_mastery([], TENTHS, BANDS) == initial_mastery(TENTHS) == Mastery(0.1)

    @given(logs, logs, parameters)
    def test_continues_where_an_earlier_fold_ended(self, earlier, later, skill):
        state = folded_mastery(earlier, skill, BANDS)
        for correct in later:
            state = updated_mastery(state, correct, skill, BANDS)
        assert state == folded_mastery(earlier + later, skill, BANDS)

    @given(logs, parameters)
    def test_counts_every_answer(self, log, skill):
        assert folded_mastery(log, skill, BANDS).answers == len(log)

    def test_three_wrong_answers_lead_to_remediation(self):
        assert folded_mastery([False] * 3, TENTHS, BANDS).band is Band.REMEDIATION


def told_step_by_step(log, skill, bands):
    """The rules as the design tells them: probabilities first, then the band, looking back each time."""
    chances, p = [], skill.prior
    for correct in log:
        right, wrong = (1 - skill.slip, skill.guess) if correct else (skill.slip, 1 - skill.guess)
        p = p * right / (p * right + (1 - p) * wrong)
        p = min(p + (1 - p) * skill.learn, 1 - 1e-9)
        chances.append(p)
    order = ["remediation", "main", "challenge"]

    def reached(chance):
        if chance < bands.remediation_below:
            return "challenge" if chance >= bands.challenge_from else "remediation"
        return "challenge" if chance >= bands.challenge_from else "main"

    band, last_below = "main", None
    for number, chance in enumerate(chances, start=1):
        here = reached(chance)
        is_below = order.index(here) < order.index(band)
        if number < 3:
            last_below = number if is_below else None
        elif not is_below or last_below == number - 1:
            band, last_below = here, None
        else:
            last_below = number
    return band


class TestAgainstTheDesign:
    @given(logs, parameters, st.floats(0, 1), st.floats(0, 1))
    def test_gives_the_band_that_the_rules_give_step_by_step(self, log, skill, one, other):
        bands = Thresholds(min(one, other), max(one, other))
        assert folded_mastery(log, skill, bands).band.value == told_step_by_step(log, skill, bands)


class TestIsRight:
    @pytest.mark.parametrize(
        ("share", "right"),
        [(Fraction(4, 5), True), (Fraction(79, 100), False), (Fraction(1), True)],
    )
    def test_begins_at_eighty_percent(self, share, right):
        assert is_right(share) is right
