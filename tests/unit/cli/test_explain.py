"""Explanations as people read them."""

from uuid import UUID

from kourse.cli.explain import access_lines, resource_lines
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
