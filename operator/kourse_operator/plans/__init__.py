"""Plans: from a spec to what must be there, pure and deterministic; one module for each kind.

Each module has ``plan(subject, spec)``, ``references(spec)`` and ``removal(subject)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from kourse.contracts.resources import Document
from kourse_operator.plans import cohort, course, exam, pool
from kourse_operator.plans.steps import Plan, Subject

_MODULES: Mapping[str, ModuleType] = {
    "Course": course,
    "QuestionPool": pool,
    "ExamConfig": exam,
    "Cohort": cohort,
}


def plan(kind: str, subject: Subject, spec: Document) -> Plan:
    """What an object with that spec needs besides its rows."""
    made: Plan = _MODULES[kind].plan(subject, spec)
    return made


def references(kind: str, spec: Document) -> frozenset[tuple[str, str]]:
    """Kind and name of every object that this one refers to."""
    found: frozenset[tuple[str, str]] = _MODULES[kind].references(spec)
    return found


def removal(kind: str, subject: Subject) -> Plan:
    """What there may be of an object that is going, whatever its spec was.

    ``cut`` holds what is at the broker, ``bucket`` its bucket. A spec that became invalid so cannot
    hold up a deletion.
    """
    made: Plan = _MODULES[kind].removal(subject)
    return made
