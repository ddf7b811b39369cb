"""What is open to a learner and what comes next."""

from uuid import UUID

import pytest

from kourse.course.domain.study import (
    LessonRef,
    Titles,
    gate_of,
    is_completed,
    locked,
    next_lesson,
)
from kourse.rules.gates import Standing

LESSONS = [
    LessonRef(UUID(int=1), "a", "A", "one"),
    LessonRef(UUID(int=2), "b", "B", "two"),
    LessonRef(UUID(int=3), "c", "C", "three"),
]
GATE = gate_of("two", [{"lesson": "a"}, {"skill": "s", "minPercent": 90}])


class TestLocked:
    def test_names_what_is_missing_by_chapter(self):
        found = locked([GATE], Standing(skills={"s": 95.0}), set())
        assert [lack.key for lack in found["two"]] == ["a"]

    def test_is_empty_once_begun(self):
        assert locked([GATE], Standing(), {"two"}) == {}

    def test_is_empty_when_all_is_reached(self):
        assert locked([GATE], Standing(frozenset({"a"}), {}, {"s": 90.0}), set()) == {}


class TestGate:
    def test_knows_whether_it_asks_for_mastery(self):
        assert GATE.asks_mastery
        assert not gate_of("two", [{"lesson": "a"}]).asks_mastery


class TestNextLesson:
    def test_is_the_first_that_is_open_and_not_done(self):
        assert next_lesson(LESSONS, {UUID(int=1)}, {"two"}).key == "c"
        assert next_lesson(LESSONS, set(), set()).key == "a"

    def test_is_none_when_all_that_is_open_is_done(self):
        assert next_lesson(LESSONS, {UUID(int=1), UUID(int=3)}, {"two"}) is None


class TestIsCompleted:
    @pytest.mark.parametrize(
        ("done", "total", "rule", "passed", "expected"),
        [
            (4, 4, {}, (), True),
            (3, 4, {}, (), False),
            (3, 4, {"lessonsPercent": 75}, (), True),
            (2, 3, {"lessonsPercent": 67}, (), False),
            (4, 4, {"exams": ["final"]}, (), False),
            (4, 4, {"exams": ["final"]}, ("final", "quiz"), True),
        ],
    )
    def test_follows_the_rule(self, done, total, rule, passed, expected):
        assert is_completed(done, total, rule, passed) is expected


class TestTitles:
    def test_name_things_as_learners_know_them(self):
        titles = Titles({"a": "The beginning"}, {"s": "Reading"}, {})
        found = locked([GATE], Standing(), set())["two"]
        assert [titles.sentence(lack) for lack in found] == [
            "Complete the lesson “The beginning”.",
            "Reach at least 90 % mastery of “Reading” (nothing yet).",
        ]
