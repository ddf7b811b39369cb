"""Explanations as people read them."""

from uuid import UUID

import pytest

from kourse.cli.explain import access_lines, learner_id, lesson_named, resource_lines
from kourse.cli.session import CommandError, Problem
from kourse.contracts.explanations import Explanation, Rule
from kourse.contracts.plans import Action, Planned, PlanProblem

ITEM = {
    "kind": "ExamConfig",
    "metadata": {"name": "final", "generation": 1},
    "status": {
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "DependencyNotReady",
                "message": "The pool is not there.",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-11-02T09:00:00Z",
            }
        ]
    },
}
EVENT = {
    "lastTimestamp": "2026-11-02T09:00:00Z",
    "type": "Warning",
    "reason": "DependencyNotReady",
    "message": "The pool is not there.",
}


class Answering:
    """A session in which one list of members is answered or refused."""

    def __init__(self, *items, refusal=None):
        self.items = items
        self.refusal = refusal
        self.asked = []

    def get(self, path):
        self.asked.append(path)
        if self.refusal:
            raise self.refusal
        return {"items": list(self.items), "next": None}


class TestLesson:
    def test_is_named_with_its_course(self):
        assert lesson_named("statistics/what-data-are") == ("statistics", "what-data-are")

    @pytest.mark.parametrize("text", ["statistics", "statistics/", "/what-data-are", "a/b/c"])
    def test_named_otherwise_is_told_how(self, text):
        with pytest.raises(CommandError, match="is not COURSE/LESSON"):
            lesson_named(text)


class TestLearner:
    def test_is_taken_as_an_id(self):
        session = Answering()
        assert learner_id(session, str(UUID(int=7))) == UUID(int=7)
        assert session.asked == []

    def test_is_looked_up_by_the_address(self):
        session = Answering({"userId": str(UUID(int=7))})
        assert learner_id(session, "ana+1@example.org") == UUID(int=7)
        assert session.asked == ["/v1/memberships?email=ana%2B1%40example.org"]

    @pytest.mark.parametrize(
        ("session", "learner", "said"),
        [
            (Answering(), "ana", "neither an id nor an e-mail address"),
            (Answering(), "ana@example.org", "No member here has the address"),
            (
                Answering(refusal=Problem("forbidden", "Needs the tenant admin role.")),
                "ana@example.org",
                "Give the learner's id instead",
            ),
        ],
    )
    def test_that_cannot_be_told_is_said(self, session, learner, said):
        with pytest.raises(CommandError, match=said):
            learner_id(session, learner)


class TestAccess:
    def test_shows_the_decision_and_each_rule(self):
        found = Explanation(
            subject="exam final",
            learner_id=UUID(int=7),
            allowed=False,
            code="exam-closed",
            detail="The exam closed.",
            rules=[
                Rule(rule="enrolled", holds=True, sentence="enrolled in statistics"),
                Rule(rule="not-closed", holds=False, sentence="it closed yesterday"),
            ],
        )
        assert list(access_lines(found, "start")) == [
            f"{UUID(int=7)} cannot start the exam final",
            "  ✓ enrolled: enrolled in statistics",
            "  ✗ not-closed: it closed yesterday",
            "  The learner is told (exam-closed): The exam closed.",
        ]


class TestResource:
    def test_shows_conditions_events_and_what_its_owner_says(self):
        problem = PlanProblem(code="unknown-pool", message="The pool 'x' is not there yet.")
        planned = Planned(kind="ExamConfig", name="final", action=Action.WAIT, problems=[problem])
        assert list(resource_lines(ITEM, [EVENT], planned)) == [
            "ExamConfig/final: not ready. The pool is not there.",
            "Conditions:",
            '  Ready=False DependencyNotReady since 2026-11-02T09:00:00Z: "The pool is not there."',
            "Events:",
            "  2026-11-02T09:00:00Z Warning DependencyNotReady: The pool is not there.",
            "Its owner would not take it now:",
            "  The pool 'x' is not there yet.",
        ]

    def test_says_that_the_owner_has_it(self):
        planned = Planned(kind="ExamConfig", name="final", action=Action.UNCHANGED)
        said = list(resource_lines(ITEM, [], planned))
        assert said[-2:] == ["Events: none.", "Its owner has it as declared."]
