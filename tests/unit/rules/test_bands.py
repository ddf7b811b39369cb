"""Which lessons beside the main path mastery opens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.resources.course import LessonPath
from kourse.rules.bands import Lowest, band_of_lesson, is_for, lowest, what_opens, why_open
from kourse.rules.mastery import Band, Mastery, SkillParameters, Thresholds, folded_mastery

LOW, MID, HIGH = (
    Mastery(0.5, 5, Band.REMEDIATION),
    Mastery(0.9, 5, Band.MAIN),
    Mastery(0.97, 5, Band.CHALLENGE),
)
KNOWN = {"low": LOW, "mid": MID, "high": HIGH}
skills = st.lists(st.sampled_from([*KNOWN, "never-asked"]), unique=True, max_size=4)


class TestBandOfLesson:
    @pytest.mark.parametrize(
        ("skills", "band"),
        [
            ((), Band.MAIN),
            (("never-asked",), Band.MAIN),
            (("high",), Band.CHALLENGE),
            (("high", "never-asked"), Band.MAIN),
            (("high", "mid", "low"), Band.REMEDIATION),
        ],
    )
    def test_is_that_of_the_lowest_skill(self, skills, band):
        assert band_of_lesson(skills, KNOWN) is band

    @given(skills)
    def test_agrees_with_looking_at_every_skill(self, named):
        states = [KNOWN.get(skill, Mastery(0.0)).band for skill in named]
        expected = Band.MAIN
        if Band.REMEDIATION in states:
            expected = Band.REMEDIATION
        elif states and all(band is Band.CHALLENGE for band in states):
            expected = Band.CHALLENGE
        assert band_of_lesson(named, KNOWN) is expected

    @given(st.lists(st.booleans(), max_size=2), st.floats(0, 1))
    def test_is_main_with_fewer_than_three_answers(self, answers, prior):
        state = folded_mastery(answers, SkillParameters(prior), Thresholds())
        assert band_of_lesson(["one"], {"one": state}) is Band.MAIN


class TestLowest:
    def test_is_the_least_mastered_of_equal_bands_then_the_first(self):
        states = {"a": Mastery(0.9, 5), "b": Mastery(0.85, 5), "c": Mastery(0.85, 5)}
        assert lowest(["a", "c", "b"], states).skill == "c"

    def test_is_none_without_skills(self):
        assert lowest([], KNOWN) is None


class TestIsFor:
    @given(skills)
    def test_opens_the_main_path_to_everybody_and_one_other_path_at_most(self, named):
        assert is_for(LessonPath.MAIN, named, KNOWN)
        others = [
            path
            for path in LessonPath
            if path is not LessonPath.MAIN and is_for(path, named, KNOWN)
        ]
        assert len(others) <= 1


class TestWhatOpens:
    def test_says_how_far_a_challenge_is(self):
        words = what_opens(LessonPath.CHALLENGE, Lowest("mid", MID), Thresholds(), "Means")
        assert words == "Reach at least 95 % mastery of “Means” (you have 90 of 95 %)."

    def test_asks_for_answers_while_there_are_too_few(self):
        state = Mastery(0.99, 2)
        words = what_opens(LessonPath.CHALLENGE, Lowest("x", state), Thresholds(), "Means")
        assert words == "Answer at least 3 questions on “Means” (you have answered 2)."

    def test_says_when_remediation_opens_by_the_skills_own_band(self):
        words = what_opens(LessonPath.REMEDIATION, Lowest("mid", MID), Thresholds(0.7), "Means")
        assert words == "Opens when your mastery of “Means” falls below 70 % (you have 90 %)."


class TestWhyOpen:
    def test_says_what_decided(self):
        assert "50 %: go over it" in why_open(LessonPath.REMEDIATION, Lowest("low", LOW), "Means")
        assert "97 %: you are ready" in why_open(
            LessonPath.CHALLENGE, Lowest("high", HIGH), "Means"
        )
