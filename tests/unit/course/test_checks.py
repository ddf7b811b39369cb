"""What must hold in a course's document."""

import pytest

from kourse.contracts.errors import Invalid, InvalidDates, UnknownTimeZone
from kourse.contracts.resources import CourseSpec
from kourse.course.domain import checks
from kourse.course.domain.graphs import any_cycle, cycle_through
from kourse.course.errors import DuplicateKey, PrerequisiteCycle, SkillCycle, UnknownReference
from support.courses import course_document, course_spec, lesson, with_assets


def chapters(*lessons):
    return [{"key": "one", "title": "One", "lessons": list(lessons)}]


class TestCheck:
    def test_finds_nothing_wrong_with_a_right_course(self):
        checks.check(course_spec())
        checks.check(CourseSpec.model_validate(with_assets()))

    @pytest.mark.parametrize(
        ("changes", "error", "words"),
        [
            ({"timeZone": "Mars/Olympus"}, UnknownTimeZone, "'Mars/Olympus'"),
            ({"gradeCategories": []}, Invalid, "every assignment's category"),
            (
                {"chapters": chapters(lesson("a", skills=["flying"]))},
                UnknownReference,
                "The lesson 'a' names the skill 'flying'",
            ),
            (
                {"chapters": chapters(lesson("a", text="![x](asset:a/b.png)"))},
                UnknownReference,
                "The lesson 'a' names the asset 'a/b.png'",
            ),
            (
                {
                    "chapters": [
                        *chapters(lesson("same")),
                        {"key": "two", "title": "Two", "lessons": [lesson("same")]},
                    ]
                },
                DuplicateKey,
                "in the chapters 'one' and 'two'",
            ),
        ],
    )
    def test_says_what_is_wrong_and_where(self, changes, error, words):
        with pytest.raises(error) as caught:
            checks.check(course_spec(**changes))
        assert words in caught.value.detail

    def test_refuses_one_path_for_two_files(self):
        files = [{"path": "a.csv", "sha256": digit * 64} for digit in "01"]
        course = course_spec(
            chapters=chapters(lesson("a", assets=files[:1]), lesson("b", assets=files[1:]))
        )
        with pytest.raises(DuplicateKey, match=r"'a\.csv' is declared with two different digests"):
            checks.check(course)

    def test_lets_a_lesson_link_to_a_file_of_another(self):
        file = {"path": "a.csv", "sha256": "0" * 64}
        checks.check(
            course_spec(
                skills=[],
                chapters=chapters(
                    lesson("a", assets=[file]), lesson("b", text="[see](asset:a.csv)")
                ),
            )
        )

    def test_refuses_skills_that_require_each_other(self):
        skills = [
            {"key": "reading", "title": "R", "prerequisites": ["summing"]},
            {"key": "summing", "title": "S", "prerequisites": ["reading"]},
        ]
        with pytest.raises(SkillCycle, match="reading → summing → reading"):
            checks.check(course_spec(skills=skills))

    def test_names_the_assignment_whose_date_is_on_no_calendar(self):
        document = course_document()
        document["assignments"][0]["dates"] = {"due": {"at": "2026-02-30T10:00"}}
        with pytest.raises(InvalidDates, match=r"The assignment 'report': '2026-02-30T10:00'"):
            checks.check(CourseSpec.model_validate(document))

    def test_names_ten_of_many_unknown_references(self):
        many = [lesson(f"l{number}", skills=[f"s{number}"]) for number in range(12)]
        with pytest.raises(UnknownReference) as caught:
            checks.check(course_spec(chapters=chapters(*many)))
        assert "and 2 more" in caught.value.detail


class TestCourseCycles:
    def test_are_refused_with_the_way_round(self):
        with pytest.raises(PrerequisiteCycle, match="a → b → c → a"):
            checks.require_no_course_cycle("a", {"a": ["b"], "b": ["c"], "c": ["a", "x"]})

    def test_elsewhere_are_somebody_elses(self):
        checks.require_no_course_cycle("a", {"a": ["b"], "b": ["c"], "c": ["b"]})


class TestGraphs:
    def test_find_the_shortest_way_round(self):
        edges = {"a": ["b", "c"], "b": ["d"], "d": ["a"], "c": ["a"]}
        assert cycle_through("a", edges) == ["a", "c", "a"]
        assert any_cycle(edges) is not None

    def test_find_none_in_a_diamond(self):
        assert any_cycle({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}) is None
