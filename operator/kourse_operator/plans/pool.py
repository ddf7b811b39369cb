"""A question pool: rows only."""

from __future__ import annotations

from kourse.contracts.resources import QuestionPoolSpec
from kourse_operator.plans.steps import Plan, Subject


def plan(subject: Subject, spec: QuestionPoolSpec) -> Plan:
    """Nothing besides the rows."""
    del subject, spec
    return Plan()


def references(spec: QuestionPoolSpec) -> frozenset[tuple[str, str]]:
    """The course it belongs to, if any."""
    return frozenset({("Course", spec.course_ref)} if spec.course_ref else ())


def removal(subject: Subject) -> Plan:
    """Nothing besides the rows."""
    del subject
    return Plan()
