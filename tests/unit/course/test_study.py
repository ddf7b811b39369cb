"""What gates lock, and when a course is completed."""

import json
from uuid import UUID

import pytest

from kourse.contracts.resources.course import LessonPath
from kourse.course.domain.study import (
    Chapter,
    Content,
    LessonRef,
    Skill,
    Titles,
    is_completed,
    locked,
    read_gates,
)
from kourse.rules.gates import Standing

ONE, TWO, EXTRA = UUID(int=1), UUID(int=2), UUID(int=3)
CONTENT = Content(
    chapters=(Chapter("one", "The first"), Chapter("two", "The second")),
    lessons=(
        LessonRef(ONE, "a", "The beginning", "one"),
        LessonRef(TWO, "b", "The middle", "one"),
        LessonRef(EXTRA, "c", "More", "one", skills=("s",), path=LessonPath.CHALLENGE),
    ),
    skills={"s": Skill("s", "Reading")},
)
(GATE,) = read_gates(
    json.dumps([["two", [{"lesson": "a"}, {"anyOf": [{"skill": "s", "minPercent": 90}]}]]])
)


class TestLocked:
    def test_names_what_is_missing_by_chapter(self):
        found = locked([GATE], Standing(skills={"s": 0.95}), set())
        assert [lack.wanted[0].key for lack in found["two"]] == ["a"]

    def test_is_empty_once_begun(self):
        assert locked([GATE], Standing(), {"two"}) == {}

    def test_is_empty_when_all_is_reached(self):
        assert locked([GATE], Standing(frozenset({"a"}), skills={"s": 0.9}), set()) == {}


class TestGate:
    def test_knows_whether_it_asks_for_mastery(self):
        assert GATE.asks_mastery
        (other,) = read_gates('[["two", [{"lesson": "a"}]]]')
        assert not other.asks_mastery


class TestContent:
    def test_counts_the_main_path_alone(self):
        assert CONTENT.done({ONE, EXTRA, UUID(int=99)}) == 1
        assert CONTENT.chapters_done({ONE, EXTRA}) == {"one": 50.0}

    def test_has_nothing_to_say_of_chapters_not_begun(self):
        assert CONTENT.chapters_done(set()) == {}


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
        titles = Titles(CONTENT, {})
        found = locked([GATE], Standing(), set())["two"]
        assert [titles.sentence(lack) for lack in found] == [
            "Complete the lesson “The beginning”.",
            "Reach at least 90 % mastery of “Reading” (nothing yet).",
        ]
