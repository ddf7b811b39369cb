"""A cohort: a queue that outside consumers read, fed by the exchanges of its courses."""

from __future__ import annotations

from kourse.contracts import names
from kourse.contracts.resources import CohortSpec
from kourse.contracts.resources.cohort import FeedMode
from kourse_operator.plans.steps import Binding, Plan, Queue, Subject

_HOUR_MS = 3_600_000


def plan(subject: Subject, spec: CohortSpec) -> Plan:
    """The feed of a cohort, or its absence; bindings of courses it studies no more are cut.

    An absent reader never stops the platform: the queue drops its oldest messages, by number and by
    age, and what it drops goes to the dead-letter exchange at most once.
    """
    name = names.cohort_queue(subject.tenant, subject.name)
    if spec.feed.mode is FeedMode.DISABLED:
        return Plan(cut=(Queue(name),), feeds=True, status={"feedQueue": None, "courses": []})
    queue = Queue(
        name,
        {
            "x-queue-type": "classic",
            "x-message-ttl": spec.feed.ttl_hours * _HOUR_MS,
            "x-max-length": spec.feed.max_messages,
            "x-overflow": "drop-head",
            "x-dead-letter-exchange": names.DEAD_LETTER_EXCHANGE,
        },
    )
    left = sorted(set(subject.status.get("courses") or ()) - set(spec.courses))
    return Plan(
        wires=(queue, *(wire for course in spec.courses for wire in _fed(subject, course))),
        cut=tuple(wire for course in left for wire in _fed(subject, course)),
        feeds=True,
        status={"feedQueue": name, "courses": sorted(spec.courses)},
    )


def _fed(subject: Subject, course: str) -> list[Binding]:
    source = names.course_exchange(subject.tenant, course)
    queue = names.cohort_queue(subject.tenant, subject.name)
    keys = names.cohort_bindings(subject.tenant, course, subject.name)
    return [Binding(source, queue, key=key) for key in keys]


def references(spec: CohortSpec) -> frozenset[tuple[str, str]]:
    """The courses it studies and the exams it has dates for."""
    exams = {("ExamConfig", item.exam) for item in spec.dates if item.exam}
    return frozenset({("Course", course) for course in spec.courses} | exams)


def removal(subject: Subject) -> Plan:
    """Its feed queue, which takes the bindings with it."""
    return Plan(cut=(Queue(names.cohort_queue(subject.tenant, subject.name)),), feeds=True)
