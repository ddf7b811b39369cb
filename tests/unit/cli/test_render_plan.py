"""A plan as people read it; the golden texts are what the documentation shows."""

from pathlib import Path

import pytest

from kourse.cli import render_plan
from kourse.cli.plans import DirectoryPlan, Entry, Infrastructure
from kourse.contracts.plans import (
    Action,
    Change,
    Effect,
    PeopleEffect,
    Planned,
    PlanProblem,
    RowChange,
)

GOLDEN = Path(__file__).with_name("golden")


def entry(kind, name, action, *, file="course.yaml", entry=None, **fields):
    return Entry(Planned(kind=kind, name=name, action=action, **fields), file, **(entry or {}))


COURSE = entry(
    "Course",
    "statistics",
    Action.UPDATE,
    version_before=4,
    version_after=5,
    changes=[
        Change(path="spec.chapters[data].lessons[means].title", before="Means", after="Averages"),
        Change(path="spec.chapters[data].lessons[cards]", after={"key": "cards", "text": "x" * 90}),
        Change(path="spec.summary", before="a" * 70, after="a" * 71),
    ],
    rows=[
        RowChange(table="course_version", inserted=1),
        RowChange(table="lesson", inserted=5, updated=1),
    ],
    people=[
        PeopleEffect(
            effect=Effect.GAIN_ACCESS,
            count=112,
            sentence="112 learners gain access to the lesson cards",
        )
    ],
    entry={"files": 2, "notes": ("it is paused; the operator applies it when it is resumed",)},
)
EXAM = entry(
    "ExamConfig",
    "midterm",
    Action.UPDATE,
    version_before=4,
    version_after=5,
    changes=[Change(path="spec.zones[main].draws[0].points", before=2, after=3)],
    status=[Change(path="points", before=50, after=52)],
    people=[
        PeopleEffect(
            effect=Effect.KEEP_VERSION,
            count=37,
            sentence="37 attempts in progress stay on version 4",
        ),
        PeopleEffect(effect=Effect.LOSE_ACCESS, count=3, sentence="3 learners lose access"),
    ],
)
COHORT = entry(
    "Cohort",
    "evening",
    Action.CREATE,
    entry={
        "infrastructure": (
            Infrastructure("create", "queue kourse.cohort.demo.evening"),
            Infrastructure("create", "binding kourse.course.demo.statistics → q (a.#)"),
        )
    },
)
WAITING = entry(
    "ExamConfig",
    "final",
    Action.WAIT,
    problems=[PlanProblem(code="unknown-pool", message="The question pool 'x' is not there yet.")],
)
REFUSED = entry(
    "Course",
    "algebra",
    Action.REFUSED,
    problems=[PlanProblem(code="invalid", field="spec.title", message="too short")],
)
SAME = entry("QuestionPool", "basics", Action.UNCHANGED)
AFFECTED = Entry(
    Planned(
        kind="ExamConfig",
        name="quiz",
        action=Action.UNCHANGED,
        people=[
            PeopleEffect(effect=Effect.GAIN_ACCESS, count=1, sentence="1 learner gains access")
        ],
    )
)
REPAIR = entry("Course", "drifted", Action.REPAIR, rows=[RowChange(table="lesson", updated=1)])

PLANS = {
    "changes": DirectoryPlan("demo", (COURSE, EXAM, COHORT, SAME, AFFECTED)),
    "errors": DirectoryPlan("demo", (WAITING, REFUSED, REPAIR)),
    "nothing": DirectoryPlan("demo", (SAME,)),
}


@pytest.mark.parametrize("name", PLANS)
class TestText:
    def test_of_a_plan_is_the_golden_one(self, name):
        text = "\n".join(render_plan.lines(PLANS[name])) + "\n"
        assert text == (GOLDEN / f"plan-{name}.txt").read_text(encoding="utf-8")

    def test_of_a_diff_is_the_golden_one(self, name):
        text = "".join(f"{line}\n" for line in render_plan.differences(PLANS[name]))
        assert text == (GOLDEN / f"diff-{name}.txt").read_text(encoding="utf-8")


class TestExitStatus:
    def test_says_that_there_is_nothing_to_do(self):
        assert PLANS["nothing"].exit_status == 0

    def test_says_that_something_would_change(self):
        assert PLANS["changes"].exit_status == 2
        assert DirectoryPlan("demo", (REPAIR,)).exit_status == 2

    def test_says_that_something_is_wrong_before_all_else(self):
        assert PLANS["errors"].exit_status == 1

    def test_is_not_moved_by_objects_that_are_only_affected(self):
        assert DirectoryPlan("demo", (SAME, AFFECTED)).exit_status == 0


class TestJson:
    def test_has_a_stable_shape(self):
        said = PLANS["changes"].as_json()
        assert said["schema"] == "kourse.dev/plan/v1"
        assert said["summary"]["update"] == 2
        (first, *_) = said["objects"]
        assert set(first) == {
            "kind", "name", "action", "versionBefore", "versionAfter", "changes", "status",
            "rows", "people", "pending", "problems", "file", "infrastructure", "files", "notes",
        }  # fmt: skip
        assert first["people"] == [
            {
                "effect": "gain-access",
                "count": 112,
                "sentence": "112 learners gain access to the lesson cards",
            }
        ]

    def test_leaves_the_document_in_force_out_since_it_may_hold_keys(self):
        assert "specBefore" not in PLANS["changes"].as_json()["objects"][0]


class TestLongPlans:
    def test_name_the_first_fields_unless_all_are_asked_for(self):
        changes = [Change(path=f"spec.f{number}", before=1, after=2) for number in range(30)]
        plan = DirectoryPlan("demo", (entry("Course", "a", Action.UPDATE, changes=changes),))
        assert "    and 10 more fields; --all names them" in list(render_plan.lines(plan))
        assert "    spec.f29 1 → 2" in list(render_plan.lines(plan, every_field=True))
