"""What must hold in a course's document."""

import pytest

from kourse.contracts.errors import Invalid, InvalidDates
from kourse.contracts.resources import CourseSpec
from kourse.course.domain import checks
from kourse.course.domain.graphs import cycle_through
from kourse.course.errors import DuplicateKey, PrerequisiteCycle, UnknownReference
from support.courses import course_document, course_spec, lesson, with_assets


def chapters(*lessons):
    return [{"key": "one", "title": "One", "lessons": list(lessons)}]


class TestCheck:
    def test_finds_nothing_wrong_with_a_right_course(self):
        checks.check("statistics", course_spec())
        checks.check("statistics", CourseSpec.model_validate(with_assets()))

    @pytest.mark.parametrize(
        ("changes", "error", "words"),
        [
            ({"timeZone": "Mars/Olympus"}, Invalid, "'Mars/Olympus'"),
            ({"gradeCategories": []}, Invalid, "every assignment's category"),
            (
                {"chapters": chapters(lesson("a", skills=["flying"]))},
                Invalid,
                "lessons[a].skills: 'flying' is not among the course's skills",
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
                Invalid,
                "the lesson key 'same' is used 2 times",
            ),
        ],
    )
    def test_says_what_is_wrong_and_where(self, changes, error, words):
        with pytest.raises(error) as caught:
            checks.check("statistics", course_spec(**changes))
        assert words in caught.value.detail

    def test_refuses_one_path_for_two_files(self):
        files = [{"path": "a.csv", "sha256": digit * 64} for digit in "01"]
        course = course_spec(
            chapters=chapters(lesson("a", assets=files[:1]), lesson("b", assets=files[1:]))
        )
        with pytest.raises(DuplicateKey, match=r"'a\.csv' is declared with two different digests"):
            checks.check("statistics", course)

    def test_lets_a_lesson_link_to_a_file_of_another(self):
        file = {"path": "a.csv", "sha256": "0" * 64}
        checks.check(
            "statistics",
            course_spec(
                skills=[],
                chapters=chapters(
                    lesson("a", assets=[file]), lesson("b", text="[see](asset:a.csv)")
                ),
            ),
        )

    def test_names_the_assignment_whose_dates_are_in_an_impossible_order(self):
        document = course_document()
        document["assignments"][0]["dates"] = {
            "opens": {"at": "2026-02-20T10:00Z"},
            "closes": {"at": "2026-02-10T10:00Z"},
        }
        with pytest.raises(InvalidDates, match=r"The assignment 'report': "):
            checks.check("statistics", CourseSpec.model_validate(document))

    def test_names_ten_of_many_unknown_references(self):
        many = [lesson(f"l{number}", skills=[f"s{number}"]) for number in range(12)]
        with pytest.raises(Invalid) as caught:
            checks.check("statistics", course_spec(chapters=chapters(*many)))
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

    def test_find_none_in_a_diamond(self):
        assert cycle_through("a", {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}) is None
