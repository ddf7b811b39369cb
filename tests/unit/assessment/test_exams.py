from fractions import Fraction
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.assessment.domain.exams import (
    Drawable,
    Earned,
    composed,
    content_of,
    draws_from,
    full_marks,
    points_earned,
    policy_of,
    pools_named,
    question_count,
    require_drawable,
)
from kourse.contracts.resources.exam import ExamConfigSpec
from kourse.rules.drawing import TooFewQuestions

seeds = st.binary(min_size=1, max_size=64)


def exam(shuffle="All", zones=None, **fields):
    return ExamConfigSpec.model_validate(
        {
            "title": "Quiz",
            "courseRef": "statistics",
            "category": "quizzes",
            "shuffle": shuffle,
            "zones": zones
            or [
                {
                    "key": "easy",
                    "title": "Easy",
                    "draws": [{"pools": ["a"], "maxDifficulty": 2, "count": 3}],
                },
                {
                    "key": "hard",
                    "title": "Hard",
                    "maxPoints": 5,
                    "draws": [{"poolLabel": "late", "minDifficulty": 3, "count": 2, "points": 3}],
                },
            ],
            **fields,
        }
    )


def pool(name, count, labels=(), skills=("one", "two")):
    return [
        Drawable(
            id=uuid5(NAMESPACE_URL, f"{name}/{number}"),
            version_id=uuid5(NAMESPACE_URL, f"{name}/{number}/v"),
            pool=name,
            place=(name, number),
            labels=frozenset(labels),
            skills=(skills[number % len(skills)],),
            difficulty=1 + number % 5,
        )
        for number in range(count)
    ]


AVAILABLE = pool("a", 20) + pool("b", 20, labels=["late"])


class TestComposed:
    @given(seeds)
    def test_fills_every_slot_with_a_distinct_fitting_question(self, seed):
        content = content_of(exam())
        slots = composed(content, AVAILABLE, seed)
        by_id = {one.id: one for one in AVAILABLE}
        assert [slot.number for slot in slots] == [1, 2, 3, 4, 5]
        assert [slot.zone for slot in slots] == ["easy"] * 3 + ["hard"] * 2
        assert len({slot.question_id for slot in slots}) == question_count(content)
        for slot in slots:
            one = by_id[slot.question_id]
            assert slot.version_id == one.version_id
            if slot.zone == "easy":
                assert (one.pool, one.difficulty <= 2, slot.points) == ("a", True, 1)
            else:
                assert ("late" in one.labels, one.difficulty >= 3, slot.points) == (True, True, 3)

    @given(seeds, st.permutations(AVAILABLE))
    def test_is_the_same_for_the_same_seed_whatever_order_rows_come_in(self, seed, rows):
        content = content_of(exam())
        assert composed(content, rows, seed) == composed(content, AVAILABLE, seed)

    @given(seeds)
    def test_keeps_the_declared_order_without_shuffling(self, seed):
        slots = composed(content_of(exam("Nothing")), AVAILABLE, seed)
        places = [one.place for slot in slots for one in AVAILABLE if one.id == slot.question_id]
        assert places[:3] == sorted(places[:3])
        assert places[3:] == sorted(places[3:])

    def test_covers_the_skills_evenly(self):
        zones = [{"key": "z", "title": "Z", "draws": [{"pools": ["a"], "count": 4}]}]
        for number in range(20):
            slots = composed(content_of(exam(zones=zones)), AVAILABLE, bytes([number]))
            skills = [
                one.skills[0] for slot in slots for one in AVAILABLE if one.id == slot.question_id
            ]
            assert sorted(skills) == ["one", "one", "two", "two"]

    def test_draws_only_questions_with_the_skills_named(self):
        zones = [
            {"key": "z", "title": "Z", "draws": [{"pools": ["a"], "skills": ["two"], "count": 9}]}
        ]
        slots = composed(content_of(exam(zones=zones)), AVAILABLE, b"x")
        chosen = {slot.question_id for slot in slots}
        assert {one.skills for one in AVAILABLE if one.id in chosen} == {("two",)}


class TestRequireDrawable:
    def test_names_the_draw_that_comes_out_short(self):
        with pytest.raises(TooFewQuestions) as short:
            require_drawable(content_of(exam()), pool("a", 20) + pool("b", 3, labels=["late"]))
        assert (short.value.draw, short.value.missing) == ("zones/hard/draws/0", 1)


class TestPoints:
    def test_full_marks_respect_the_caps_of_zones(self):
        assert full_marks(content_of(exam())) == 3 + 5

    def test_a_zone_pays_no_more_than_its_cap(self):
        items = [
            Earned("easy", 1, Fraction(1, 3)),
            Earned("hard", 3, Fraction(1)),
            Earned("hard", 3, Fraction(1)),
        ]
        assert points_earned(content_of(exam()), items) == Fraction(1, 3) + 5

    @given(
        st.lists(
            st.builds(
                Earned,
                st.sampled_from(["easy", "hard"]),
                st.integers(0, 10),
                st.fractions(0, 1, max_denominator=12),
            )
        )
    )
    def test_lies_between_nothing_and_the_sum(self, items):
        total = points_earned(content_of(exam()), items)
        assert 0 <= total <= sum(item.points for item in items)


class TestContentAndPolicy:
    def test_together_hold_the_whole_declaration(self):
        spec = exam(passMark=60, timeLimitMinutes=30, instructions="Read well.")
        parts = content_of(spec).model_dump() | policy_of(spec).model_dump()
        whole = spec.model_dump(exclude={"course_ref", "deletion_policy", "drift_policy"})
        assert parts == whole

    def test_dates_and_limits_are_no_content(self):
        longer = exam(timeLimitMinutes=90, dates={"closes": {"at": "2027-01-01T12:00"}})
        assert content_of(longer) == content_of(exam())

    def test_tells_which_pools_an_exam_draws_from(self):
        content = content_of(exam())
        assert pools_named(content) == ["a"]
        assert draws_from(content, "a", [])
        assert draws_from(content, "z", ["late"])
        assert not draws_from(content, "z", ["early"])
