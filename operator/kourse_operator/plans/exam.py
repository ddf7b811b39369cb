"""An exam: bindings that lead its submitted attempts to the graders."""

from __future__ import annotations

from kourse.contracts import names
from kourse.contracts.resources import ExamConfigSpec
from kourse_operator.plans.steps import Binding, Plan, Subject


def plan(subject: Subject, spec: ExamConfigSpec) -> Plan:
    """One binding for each queue of graders, which lets only this exam's attempts through."""
    del spec
    return Plan(wires=_to_graders(subject), feeds=True)


def removal(subject: Subject) -> Plan:
    """Its bindings; attempts submitted after that are found by the assessment service's sweeper."""
    return Plan(cut=_to_graders(subject), feeds=True)


def _to_graders(subject: Subject) -> tuple[Binding, ...]:
    exam = names.declared_id(subject.tenant, "ExamConfig", subject.name)
    match = {"x-match": "all", "exam": str(exam)}
    return tuple(
        Binding(names.GRADING_EXCHANGE, queue, arguments=match) for queue in names.GRADING_QUEUES
    )


def references(spec: ExamConfigSpec) -> frozenset[tuple[str, str]]:
    """Its course and the pools it draws from by name."""
    drawn = {pool for zone in spec.zones for draw in zone.draws for pool in draw.pools}
    return frozenset({("Course", spec.course_ref)} | {("QuestionPool", name) for name in drawn})
