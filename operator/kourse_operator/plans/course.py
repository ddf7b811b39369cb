"""A course: its bucket, and an exchange that carries its events to outside consumers."""

from __future__ import annotations

from kourse.contracts import names
from kourse.contracts.resources import CourseSpec
from kourse_operator.plans.steps import Binding, Bucket, Exchange, Plan, Subject


def plan(subject: Subject, spec: CourseSpec) -> Plan:
    """What a course needs."""
    lessons = [lesson for chapter in spec.chapters for lesson in chapter.lessons]
    has_files = any(lesson.assets or lesson.text_file for lesson in lessons)
    bucket = names.bucket(subject.bucket_prefix, subject.tenant, subject.name)
    exchange = names.course_exchange(subject.tenant, subject.name)
    keys = names.course_exchange_bindings(subject.tenant, subject.name)
    feed = [Binding(names.EVENTS_EXCHANGE, exchange, "exchange", key) for key in keys]
    return Plan(
        bucket=Bucket(bucket, holds_files=has_files),
        wires=(Exchange(exchange), *feed),
        feeds=True,
        status={"bucket": bucket},
    )


def references(spec: CourseSpec) -> frozenset[tuple[str, str]]:
    """The courses to complete before."""
    return frozenset(("Course", item.course_ref) for item in spec.prerequisites)


def removal(subject: Subject) -> Plan:
    """Its exchange, which takes the bindings with it, and its bucket."""
    exchange = names.course_exchange(subject.tenant, subject.name)
    bucket = names.bucket(subject.bucket_prefix, subject.tenant, subject.name)
    return Plan(bucket=Bucket(bucket), cut=(Exchange(exchange),), feeds=True)
