"""The twins of the CEL rules: the same sentences at every door."""

import pytest

from kourse.contracts.errors import Invalid
from kourse.contracts.resources import CohortSpec, CourseSpec
from kourse.contracts.resources.cohort import Run, RunDates
from kourse.contracts.resources.course import Adaptivity, Lesson, Requirement
from kourse.contracts.resources.meta import Moment, Window
from kourse.rules import documents
from support.courses import cohort_document, cohort_spec, course_document, course_spec, lesson

EXAMPLES = [
    course_spec(),
    cohort_spec(),
    Moment(day=1),
    Window(),
    Lesson(key="a", title="A", text="x"),
    Adaptivity(),
    Requirement(lesson="a"),
    Run(starts="2026-01-01", ends="2026-01-02"),
    RunDates(course="a", exam="b", dates=Window()),
]


class TestTwins:
    @pytest.mark.parametrize("document", EXAMPLES, ids=lambda document: type(document).__name__)
    def test_answer_every_rule_of_their_resource(self, document):
        stated = {rule.message for rule in type(document).cel_rules}
        assert documents.answered(document) == stated

    @pytest.mark.parametrize("document", EXAMPLES, ids=lambda document: type(document).__name__)
    def test_find_nothing_wrong_with_a_right_document(self, document):
        assert documents.violations(document) == []


def broken(model, document):
    return [(entry.field, entry.message) for entry in documents.violations(model(**document))]


class TestViolations:
    def test_name_the_place_and_the_sentence(self):
        document = course_document(gradeCategories=[{"key": "work", "title": "W", "weight": 90}])
        document["chapters"][1]["lessons"][0] = lesson("coins", textFile=None) | {"text": None}
        found = documents.violations(CourseSpec.model_validate(document))
        assert [(entry.field, entry.pointer) for entry in found] == [
            ("gradeCategories", "#/gradeCategories"),
            ("chapters.1.lessons.0", "#/chapters/1/lessons/0"),
        ]
        assert found[0].message == "the weights of gradeCategories must add up to 100"

    def test_find_keys_that_are_there_twice(self):
        document = course_document()
        document["skills"].append({"key": "reading", "title": "Again"})
        found = documents.violations(CourseSpec.model_validate(document))
        assert [(entry.field, entry.message) for entry in found] == [
            ("skills.2.key", "'reading' is there twice")
        ]

    @pytest.mark.parametrize(
        ("window", "wrong"),
        [
            ({"opens": {"day": 3}, "due": {"day": 2}}, True),
            ({"opens": {"day": 2}, "due": {"day": 2}}, False),
            ({"due": {"at": "2026-11-02T18:30"}, "closes": {"at": "2026-11-02T18:29"}}, True),
            ({"due": {"at": "2026-11-02T18:30Z"}, "closes": {"at": "2026-11-02T18:29"}}, False),
            (
                {"due": {"at": "2026-11-02T18:30-05:00"}, "closes": {"at": "2026-11-02T18:29"}},
                False,
            ),
            ({"opens": {"day": 3}, "closes": {"at": "2026-11-02T18:29"}}, False),
        ],
    )
    def test_compare_only_what_one_object_can_tell(self, window, wrong):
        assert bool(documents.violations(Window.model_validate(window))) is wrong

    def test_find_characters_that_no_database_stores(self):
        document = course_document(title="a\x00b", tags=["one"])
        document["chapters"][0]["lessons"][0]["text"] = "c\x00"
        found = documents.violations(CourseSpec.model_validate(document))
        assert [entry.field for entry in found] == ["title", "chapters.0.lessons.0.text"]

    def test_of_a_cohort(self):
        document = cohort_document(
            run={"starts": "2026-02-01", "ends": "2026-01-01"},
            dates=[{"course": "other", "exam": "a", "assignment": "b", "dates": {}}],
        )
        found = documents.violations(CohortSpec.model_validate(document))
        assert [entry.field for entry in found] == ["dates", "run.ends", "dates.0"]


class TestRequireValid:
    def test_raises_one_problem_that_names_every_place(self):
        document = course_document(gradeCategories=[])
        with pytest.raises(Invalid) as caught:
            documents.require_valid(CourseSpec.model_validate(document))
        assert caught.value.extensions["errors"] == [
            {
                "field": "assignments",
                "pointer": "#/assignments",
                "message": "every assignment's category must be one of gradeCategories",
            }
        ]
