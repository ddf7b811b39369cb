"""The events that follow from a version going live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from kourse.contracts.events import (
    AssignmentCreated,
    ContentPublished,
    PublishedBadge,
    PublishedCategory,
    PublishedLesson,
    PublishedSkill,
)
from kourse.contracts.resources.course import CourseSpec
from kourse.contracts.resources.meta import Window
from kourse.course.domain.content import lessons_of
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
        )
        for skill in spec.skills
    ]


def created_assignments(
    course_id: UUID,
    course: str,
    spec: CourseSpec,
    *,
    known: set[str],
    policy: Mapping[str, Any],
) -> list[AssignmentCreated]:
    """An event for each assignment that the live version before did not have.

    Args:
        course_id: The course.
        course: Its name.
        spec: Content of the version that goes live.
        known: Keys of the assignments that learners already had.
        policy: The course's policy, which holds the default dates.
    """
    frame = Frame(zone_of(spec.time_zone))
    return [
        AssignmentCreated(
            course_id=course_id,
            course=course,
            assignment_id=assignment_id(course_id, work.key),
            assignment=work.key,
            title=work.title,
            category=work.category,
            points=work.points,
            due_at=dates_of(window_of(policy, work.key), frame).due_at,
        )
        for work in spec.assignments
        if work.key not in known
    ]


def window_of(policy: Mapping[str, Any], assignment: str) -> Window:
    """The course's default dates of an assignment; empty where it states none."""
    stated = policy.get("assignments", {}).get(assignment, {}).get("dates", {})
    return Window.model_validate(stated)
