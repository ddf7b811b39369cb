"""The parts of a version as rows: ids from stable keys, so that progress survives new versions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from kourse.contracts import names
from kourse.contracts.resources.course import CourseSpec
from kourse.contracts.resources.meta import Asset
from kourse.course.domain.content import lessons_of

Rows = list[dict[str, Any]]


def lesson_id(course_id: UUID, key: str) -> UUID:
    """Id of a lesson: the same in every version, in whichever chapter it stands."""
    return names.part_id(course_id, "lesson", key)


def assignment_id(course_id: UUID, key: str) -> UUID:
    """Id of an assignment, the same in every version."""
    return names.part_id(course_id, "assignment", key)


def version_parts(course_id: UUID, spec: CourseSpec) -> dict[str, Rows]:
    """Rows by table of everything that belongs to a version, without course, version and tenant."""
    return {
        "chapter": _chapters(course_id, spec),
        "lesson": _lessons(course_id, spec),
        "skill": _skills(spec),
        "assignment": _assignments(course_id, spec),
    }


def gates(spec: CourseSpec) -> Rows:
    """Rows of the gates, which are policy and belong to no version."""
    return [
        {
            "chapter": gate.chapter,
            "position": position,
            "requires": [
                entry.model_dump(mode="json", by_alias=True, exclude_none=True)
                for entry in gate.requires
            ],
        }
        for position, gate in enumerate(spec.gates)
    ]


def prerequisites(spec: CourseSpec) -> Rows:
    """Rows of the courses to complete first."""
    return [
        {"requires": entry.course_ref, "min_completion": entry.min_completion}
        for entry in spec.prerequisites
    ]


def _chapters(course_id: UUID, spec: CourseSpec) -> Rows:
    return [
        {
            "key": chapter.key,
            "id": names.part_id(course_id, "chapter", chapter.key),
            "position": position,
            "title": chapter.title,
            "summary": chapter.summary,
        }
        for position, chapter in enumerate(spec.chapters)
    ]


def _lessons(course_id: UUID, spec: CourseSpec) -> Rows:
    return [
        {
            "key": lesson.key,
            "id": lesson_id(course_id, lesson.key),
            "chapter": chapter,
            "position": position,
            "title": lesson.title,
            "minutes": lesson.minutes,
            "skills": lesson.skills,
            "path": lesson.path.value,
            "text": lesson.text,
            "text_sha256": lesson.text_file.sha256 if lesson.text_file else None,
            "assets": [_asset(asset) for asset in lesson.assets],
            "practice": [
                {"pool": entry.pool, "questions": entry.questions} for entry in lesson.practice
            ],
        }
        for position, (chapter, lesson) in enumerate(lessons_of(spec))
    ]


def _asset(asset: Asset) -> dict[str, Any]:
    return {"path": asset.path, "sha256": asset.sha256, "title": asset.title}


def _skills(spec: CourseSpec) -> Rows:
    return [
        {
            "key": skill.key,
            "position": position,
            "title": skill.title,
            "prerequisites": skill.prerequisites,
            "prior": skill.parameters.prior,
            "learn": skill.parameters.learn,
            "guess": skill.parameters.guess,
            "slip": skill.parameters.slip,
            "remediation_below": skill.adaptivity.remediation_below if skill.adaptivity else None,
            "challenge_from": skill.adaptivity.challenge_from if skill.adaptivity else None,
        }
        for position, skill in enumerate(spec.skills)
    ]


def _assignments(course_id: UUID, spec: CourseSpec) -> Rows:
    return [
        {
            "key": work.key,
            "id": assignment_id(course_id, work.key),
            "position": position,
            "title": work.title,
            "kind": work.kind.value,
            "instructions": work.instructions,
            "category": work.category,
            "points": work.points,
            "skills": work.skills,
            "rubric": [
                entry.model_dump(mode="json", by_alias=True, exclude_none=True)
                for entry in work.rubric
            ],
        }
        for position, work in enumerate(spec.assignments)
    ]
