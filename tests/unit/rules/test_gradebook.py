from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.resources.exam import Counting
from kourse.rules.gradebook import (
    Attempted,
    Category,
    CategoryGrade,
    category_grade,
    counting_attempt,
    course_percent,
)

ATTEMPTS = [
    Attempted(2, Fraction(80)),
    Attempted(1, Fraction(50)),
    Attempted(3, Fraction(80)),
    Attempted(4, Fraction(200, 3)),
]
percents = st.lists(st.fractions(0, 100, max_denominator=12), max_size=12)


class TestCountingAttempt:
    @pytest.mark.parametrize(
        ("counting", "number"), [(Counting.HIGHEST, 2), (Counting.LATEST, 4), (Counting.FIRST, 1)]
    )
    def test_follows_the_rule_and_prefers_the_earliest_of_equals(self, counting, number):
        attempt = counting_attempt(ATTEMPTS, counting)
        assert attempt is not None
        assert attempt.number == number

    def test_is_none_without_attempts(self):
        assert counting_attempt([], Counting.HIGHEST) is None


class TestCategoryGrade:
    def test_is_the_mean_of_what_is_not_dropped(self):
        grade = category_grade(
            Category("quizzes", 20, 1), [Fraction(90), Fraction(20), Fraction(60)]
        )
        assert grade == CategoryGrade("quizzes", Fraction(75), frozenset({1}))

    def test_always_counts_one_score(self):
        grade = category_grade(Category("quizzes", 20, 5), [Fraction(30), Fraction(40)])
        assert grade == CategoryGrade("quizzes", Fraction(40), frozenset({0}))

    def test_is_open_without_scores(self):
        assert category_grade(Category("quizzes", 20), []).percent is None

    @given(percents, st.integers(0, 5))
    def test_dropping_never_lowers_it(self, values, drop):
        kept = category_grade(Category("c", 1, 0), values).percent
        dropped = category_grade(Category("c", 1, drop), values).percent
        assert (dropped is None) == (kept is None) == (not values)
        assert dropped is None or kept is None or dropped >= kept


class TestCoursePercent:
    CATEGORIES = (Category("quizzes", 20), Category("exams", 50), Category("work", 30))

    def test_weighs_the_categories(self):
        grades = [
            CategoryGrade("quizzes", Fraction(50), frozenset()),
            CategoryGrade("exams", Fraction(80), frozenset()),
            CategoryGrade("work", Fraction(100), frozenset()),
        ]
        assert course_percent(self.CATEGORIES, grades) == 80

    def test_scales_up_what_is_graded(self):
        grades = [
            CategoryGrade("quizzes", Fraction(50), frozenset()),
            CategoryGrade("exams", None, frozenset()),
            CategoryGrade("work", Fraction(100), frozenset()),
        ]
        assert course_percent(self.CATEGORIES, grades) == 80

    def test_is_open_while_nothing_counts(self):
        assert course_percent(self.CATEGORIES, []) is None
        nothing = [CategoryGrade("bonus", Fraction(100), frozenset())]
        assert course_percent([Category("bonus", 0)], nothing) is None
