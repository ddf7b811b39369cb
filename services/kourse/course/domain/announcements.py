"""The events that follow from a version going live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from kourse.contracts.events import (
    AssignmentChanged,
    AssignmentCreated,
    ContentPublished,
    DeclaredDates,
    LabelDates,
    PublishedBadge,
    PublishedCategory,
    PublishedCriterion,
    PublishedLatePolicy,
    PublishedLesson,
    PublishedSkill,
)
from kourse.contracts.resources.course import CourseSpec
from kourse.course.domain.content import assignment_policy, lessons_of
from kourse.course.domain.parts import assignment_id, lesson_id
from kourse.rules.dates import Frame, dates_of, zone_of


def published(
    course_id: UUID, course: str, spec: CourseSpec, *, version: int, digest: str
) -> ContentPublished:
    """The event that this version is live, with what siblings replicate of it."""
    return ContentPublished(
        course_id=course_id,
        course=course,
        title=spec.title,
        version=version,
        digest=digest,
        time_zone=spec.time_zone,
        lessons=[
            PublishedLesson(
                id=lesson_id(course_id, lesson.key),
                key=lesson.key,
                title=lesson.title,
                chapter=chapter,
                skills=lesson.skills,
                path=lesson.path.value,
                practice={entry.pool: entry.questions for entry in lesson.practice},
            )
            for chapter, lesson in lessons_of(spec)
        ],
        skills=_skills(spec),
        categories=[
            PublishedCategory(
                key=category.key,
                title=category.title,
                weight=category.weight,
                drop_lowest=category.drop_lowest,
            )
            for category in spec.grade_categories
        ],
        remediation_below=spec.adaptivity.remediation_below / 100,
        challenge_from=spec.adaptivity.challenge_from / 100,
        badges=[
            PublishedBadge(
                key=badge.key,
                title=badge.title,
                description=badge.description,
                criterion=badge.criterion.value,
                threshold=badge.threshold,
            )
            for badge in spec.badges
        ],
    )


def _skills(spec: CourseSpec) -> list[PublishedSkill]:
    return [
        PublishedSkill(
            key=skill.key,
            title=skill.title,
            prerequisites=skill.prerequisites,
            prior=skill.parameters.prior / 100,
            learn=skill.parameters.learn / 100,
            guess=skill.parameters.guess / 100,
            slip=skill.parameters.slip / 100,
            remediation_below=skill.adaptivity.remediation_below / 100
            if skill.adaptivity
            else None,
            challenge_from=skill.adaptivity.challenge_from / 100 if skill.adaptivity else None,
        )
        for skill in spec.skills
    ]


def assignments(
    course_id: UUID, course: str, spec: CourseSpec, policy: Mapping[str, Any]
) -> dict[str, AssignmentCreated]:
    """What there is to tell of each assignment of a live version, by key.

    Args:
        course_id: The course.
        course: Its name.
        spec: Content of the version.
        policy: The course's policy, which holds the default dates.
    """
    frame = Frame(zone_of(spec.time_zone))
    limits = {work.key: assignment_policy(policy, work.key) for work in spec.assignments}
    return {
        work.key: AssignmentCreated(
            course_id=course_id,
            course=course,
            assignment_id=assignment_id(course_id, work.key),
            assignment=work.key,
            title=work.title,
            category=work.category,
            points=work.points,
            due_at=dates_of(limits[work.key].dates, frame).due_at,
            dates=DeclaredDates.of(limits[work.key].dates),
            overrides=[
                LabelDates(label=one.label, dates=DeclaredDates.of(one.dates))
                for one in limits[work.key].overrides
            ],
            rubric=[PublishedCriterion(**entry.model_dump()) for entry in work.rubric],
            late_policy=PublishedLatePolicy.of(limits[work.key].late_policy),
            release=limits[work.key].release.value,
        )
        for work in spec.assignments
    }


def assignment_news(
    before: Mapping[str, AssignmentCreated], now: Mapping[str, AssignmentCreated]
) -> list[AssignmentCreated | AssignmentChanged]:
    """What learners' assignments became: new ones, then those with another title or date, then the withdrawn."""
    created = [work for key, work in now.items() if key not in before]
    changed = [
        _changed(work)
        for key, work in now.items()
        if key in before and _changed(work) != _changed(before[key])
    ]
    withdrawn = [_changed(work, withdrawn=True) for key, work in before.items() if key not in now]
    return [*created, *changed, *withdrawn]


def _changed(work: AssignmentCreated, *, withdrawn: bool = False) -> AssignmentChanged:
    told = {
        name: getattr(work, name) for name in AssignmentChanged.model_fields if name != "withdrawn"
    }
    return AssignmentChanged(**told, withdrawn=withdrawn)
