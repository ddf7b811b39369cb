"""What of a course is content, and so makes an immutable version, and what is policy.

Policy (dates, limits, visibility, gates, lifecycle) changes without a new version; everything else that
learners read, are graded by or are led by is content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from kourse.contracts.resources.course import AssignmentPolicy, CourseSpec, Lesson
from kourse.contracts.resources.meta import Asset

POLICY_FIELDS = frozenset(
    {
        "at_risk",
        "completion",
        "deletion_policy",
        "drift_policy",
        "enrolment",
        "gates",
        "lifecycle",
        "prerequisites",
        "visibility",
    }
)
ASSIGNMENT_POLICY = frozenset(AssignmentPolicy.model_fields)
_NOT_CONTENT: dict[str, Any] = {
    **dict.fromkeys(POLICY_FIELDS, True),
    "assignments": {"__all__": dict.fromkeys(ASSIGNMENT_POLICY, True)},
}


def content_of(spec: CourseSpec) -> dict[str, Any]:
    """The content part of a spec, as it is stored with its version: wire names, defaults filled in."""
    return spec.model_dump(mode="json", by_alias=True, exclude=_NOT_CONTENT)


def policy_of(spec: CourseSpec) -> dict[str, Any]:
    """The policy that has no column of its own: wire names, assignments by key."""
    kept = {"at_risk", "completion"}
    policy = spec.model_dump(mode="json", by_alias=True, include=kept)
    policy["assignments"] = {
        entry.key: entry.model_dump(mode="json", by_alias=True, include=set(ASSIGNMENT_POLICY))
        for entry in spec.assignments
    }
    return policy


def assignment_policy(policy: Mapping[str, Any], assignment: str) -> AssignmentPolicy:
    """The limits and dates that a stored policy states of an assignment; else the defaults."""
    return AssignmentPolicy.model_validate(policy.get("assignments", {}).get(assignment, {}))


def digest_of(spec: CourseSpec) -> str:
    """SHA-256 (lower-case hexadecimal) of the content part.

    Values that equal their default do not count, so a field that a later release adds with a default
    gives no course a new version.
    """
    content = spec.model_dump(
        mode="json", by_alias=True, exclude=_NOT_CONTENT, exclude_defaults=True
    )
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def lessons_of(spec: CourseSpec) -> Iterator[tuple[str, Lesson]]:
    """Every lesson with its chapter's key, in order of study."""
    for chapter in spec.chapters:
        for lesson in chapter.lessons:
            yield chapter.key, lesson


def assets_of(spec: CourseSpec) -> dict[str, Asset]:
    """Every file that the course declares, by path: texts of lessons and what they link to."""
    found: dict[str, Asset] = {}
    for _, lesson in lessons_of(spec):
        for asset in (*lesson.assets, *((lesson.text_file,) if lesson.text_file else ())):
            found.setdefault(asset.path, asset)
    return found
