"""What a schema cannot say about a spec is found, with its path and a sentence."""

import pytest

from kourse.contracts.resources import BY_KIND
from kourse.rules.declared import problems
from support.operator_fakes import SPECS

LESSON = {"key": "l", "title": "L", "text": "x"}


def found(kind, **changes):
    spec = BY_KIND[kind].spec.model_validate({**SPECS[kind], **changes})
    return [str(problem) for problem in problems("statistics", spec)]


def chapter(key, *lessons):
    return {"key": key, "title": key, "lessons": [{**LESSON, **lesson} for lesson in lessons]}


def skill(key, *prerequisites):
    return {"key": key, "title": key, "prerequisites": list(prerequisites)}


class TestCourse:
    def test_without_fault_has_no_problems(self):
        assert found("Course") == []

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            (
                {"timeZone": "Europe/Atlantis"},
                "spec.timeZone: 'Europe/Atlantis' is not an IANA time zone, such as Europe/Lisbon",
            ),
            (
                {"prerequisites": [{"courseRef": "statistics"}]},
                "spec.prerequisites: a course cannot be its own prerequisite",
            ),
            (
                {"chapters": [chapter("a", {}), chapter("b", {})]},
                "spec.chapters: the lesson key 'l' is used 2 times",
            ),
            (
                {"chapters": [chapter("a", {"skills": ["nope"]})]},
                "spec.chapters[].lessons[l].skills: 'nope' is not among the course's skills",
            ),
            (
                {"gates": [{"chapter": "a", "requires": [{"lesson": "nope"}]}]},
                "spec.gates[a].requires: 'nope' is not among the course's lessons",
            ),
            (
                {"skills": [skill("a", "b"), skill("b", "c"), skill("c", "a")]},
                "spec.skills: the prerequisites go round in a circle: ",
            ),
        ],
    )
    def test_with_a_fault_says_where_and_what(self, changes, sentence):
        (problem,) = found("Course", **changes)
        assert problem.startswith(sentence)


class TestExam:
    def test_with_an_impossible_date_says_so(self):
        dates = {"opens": {"at": "2027-02-30T10:00"}}
        assert found("ExamConfig", dates=dates) == [
            "spec.dates.opens.at: 2027-02-30T10:00 is not a time of the calendar"
        ]


class TestCohort:
    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            (
                {"run": {"starts": "2026-02-30", "ends": "2026-03-01"}},
                "spec.run.starts: 2026-02-30 is not a day of the calendar",
            ),
            (
                {"run": {"starts": "2026-02-01", "ends": "2026-03-01", "timeZone": "Mars/Base"}},
                "spec.run.timeZone: 'Mars/Base' is not an IANA time zone, such as Europe/Lisbon",
            ),
            (
                {
                    "schedule": [
                        {
                            "key": "m",
                            "title": "M",
                            "starts": "2026-02-01T10:00",
                            "rrule": "FREQ=WEEKLY;BYDAY=XX",
                        }
                    ]
                },
                "spec.schedule[m].rrule: 'FREQ=WEEKLY;BYDAY=XX' is not a recurrence rule of RFC 5545",
            ),
        ],
    )
    def test_with_a_fault_says_where_and_what(self, changes, sentence):
        assert found("Cohort", **changes) == [sentence]
