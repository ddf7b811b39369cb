"""Levels and what earns points."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.notification.domain.points import (
    Reason,
    earned_by_lesson,
    earned_by_score,
    level,
    points_needed,
)

LESSON, COURSE, EXAM = UUID(int=1), UUID(int=2), UUID(int=3)


class TestLevel:
    @pytest.mark.parametrize(
        ("points", "expected"),
        [(0, 1), (99, 1), (100, 2), (299, 2), (300, 3), (599, 3), (600, 4), (1000, 5), (-5, 1)],
    )
    def test_needs_a_hundred_more_for_each_step(self, points, expected):
        assert level(points) == expected

    @given(st.integers(1, 5000))
    def test_begins_exactly_where_it_says(self, number):
        assert level(points_needed(number)) == number
        assert number == 1 or level(points_needed(number) - 1) == number - 1


class TestEarnedByLesson:
    def test_is_ten_points_for_the_lesson(self):
        (earned,) = earned_by_lesson(
            lesson_id=LESSON, course_id=COURSE, title="Means", course="stats", completed=3, total=4
        )

        assert (earned.reason, earned.subject, earned.points) == (
            Reason.LESSON_COMPLETED,
            LESSON,
            10,
        )

    def test_adds_the_course_with_its_last_lesson(self):
        earned = earned_by_lesson(
            lesson_id=LESSON, course_id=COURSE, title="Means", course="stats", completed=4, total=4
        )

        assert [(one.reason, one.subject, one.points) for one in earned] == [
            (Reason.LESSON_COMPLETED, LESSON, 10),
            (Reason.COURSE_COMPLETED, COURSE, 100),
        ]


class TestEarnedByScore:
    def test_is_fifty_points_for_a_pass_and_none_otherwise(self):
        passed = earned_by_score(exam_id=EXAM, title="Final", course="stats", passed=True)
        failed = earned_by_score(exam_id=EXAM, title="Final", course="stats", passed=False)

        assert [(one.reason, one.subject, one.points) for one in passed] == [
            (Reason.EXAM_PASSED, EXAM, 50)
        ]
        assert failed == []
