from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.rules.rubric import Mark, MarkMismatch, marked, share


@dataclass
class Level:
    key: str
    points: int


@dataclass
class Criterion:
    key: str
    levels: list


RUBRIC = [
    Criterion("plan", [Level("none", 0), Level("some", 2), Level("full", 5)]),
    Criterion("prose", [Level("none", 0), Level("full", 3)]),
]
points = st.fractions(0, 3, max_denominator=20)


class TestMarked:
    def test_gives_a_level_its_points_and_takes_points_between_levels(self):
        given = {"plan": Mark(level="some"), "prose": Mark(points=Fraction("1.5"))}
        assert marked(RUBRIC, given) == {"plan": 2, "prose": Fraction(3, 2)}

    @pytest.mark.parametrize(
        ("mark", "words"),
        [
            (None, "either a level or points"),
            (Mark(), "either a level or points"),
            (Mark("full", Fraction(1)), "either a level or points"),
            (Mark("splendid"), "no level 'splendid'"),
            (Mark(points=Fraction(7, 2)), "from 0 to 3"),
            (Mark(points=Fraction(-1)), "from 0 to 3"),
        ],
    )
    def test_refuses_what_the_rubric_does_not_offer(self, mark, words):
        marks = {"plan": Mark("full")} | ({"prose": mark} if mark else {})
        with pytest.raises(MarkMismatch, match=words):
            marked(RUBRIC, marks)

    def test_refuses_a_criterion_that_is_not_in_the_rubric(self):
        marks = {"plan": Mark("full"), "prose": Mark("full"), "looks": Mark("full")}
        with pytest.raises(MarkMismatch, match="'looks'"):
            marked(RUBRIC, marks)


class TestShare:
    @given(points, points)
    def test_is_the_exact_part_of_all_points(self, plan, prose):
        given = marked(RUBRIC, {"plan": Mark(points=plan), "prose": Mark(points=prose)})
        assert share(RUBRIC, given) * 8 == plan + prose

    def test_is_nothing_where_there_is_nothing_to_give(self):
        assert share([], {}) == 0
