"""Applies a course's document: versions, their rows, and the moment in which one goes live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import KourseError
from kourse.contracts.events import AssignmentCreated
from kourse.contracts.resources import COURSE, CourseSpec
from kourse.course.domain import announcements, checks, parts
from kourse.course.domain.content import assets_of, content_of, digest_of, policy_of
from kourse.course.domain.lifecycle import Decision, Version, decide
from kourse.course.errors import PrerequisiteUnknown
from kourse.course.repository import content, versions
from kourse.kit import documents, outbox
from kourse.kit.documents import Applied, Claim, Doc, Pending

KIND = COURSE.kind
MOST_NAMED = 10


@dataclass(frozen=True)
class _Course:
    """A course in hand."""

    id: UUID
    name: str
    spec: CourseSpec


async def apply(tx: AsyncSession, doc: Doc[CourseSpec]) -> Applied:
    """The course is as the document says; its version is live when nothing keeps it from that.

    Raises:
        Rejected: The document cannot be stored as it is.
        PrerequisiteUnknown: A course that must be completed first is not known yet.
        OwnedByApi: The name was taken through the REST API.
        OwnedByResource: The name is declared by a resource.
        StaleGeneration: A newer generation was already applied.
    """
    claim = await documents.claim(tx, KIND, doc)
    if claim.changed:
        checks.check(doc.name, doc.spec)
    await _require_prerequisites(tx, doc)
    course = _Course(claim.id, doc.name, doc.spec)
    before = await content.find_course(tx, doc.name, lock=True)
    standing = await content.standing(tx, before)
    decision = decide(
        digest_of(doc.spec),
        doc.spec.lifecycle,
        current=standing.current,
        live=standing.live,
        highest=standing.highest,
    )
    repaired = await _write(tx, course, decision, new=before is None)
    repaired += await _repair_live(tx, course.id, standing.live, decision.version)
    live = standing.live.number if standing.live else None
    missing = await content.missing_assets(tx, course.id, digests(doc.spec))
    went_live = goes_live(decision.version, live, missing)
    if went_live:
        await _go_live(tx, course, decision.version)
        live = decision.version.number
    if went_live or claim.changed:
        await _tell_of_assignments(tx, doc.name, before)
    if before is None or claim.revived:
        await documents.wake_waiting(tx)
    return applied(doc, claim, decision.version, live=live, repaired=repaired > 0, missing=missing)


async def _require_prerequisites(tx: AsyncSession, doc: Doc[CourseSpec]) -> None:
    required = [entry.course_ref for entry in doc.spec.prerequisites]
    if not required:
        return
    await content.lock_prerequisites(tx)
    edges = {**await content.prerequisites(tx), doc.name: required}
    checks.require_no_course_cycle(doc.name, edges)
    unknown = await content.unknown_courses(tx, required)
    if unknown:
        raise PrerequisiteUnknown(
            f"There is no course {', '.join(map(repr, unknown))} yet; apply it, or take it out of "
            "'prerequisites'.",
            retry_after_s=5,
        )


def digests(spec: CourseSpec) -> dict[str, str]:
    """Digest by path of every file that the course declares."""
    return {path: asset.sha256 for path, asset in assets_of(spec).items()}


def goes_live(version: Version, live: int | None, missing: list[str]) -> bool:
    """Whether learners get the version now, who have ``live`` or nothing."""
    return version.eligible and not missing and version.number > (live or 0)


async def _write(tx: AsyncSession, course: _Course, decision: Decision, *, new: bool) -> int:
    """How many rows, of a ``new`` course all, were not as the document says."""
    spec, version = course.spec, decision.version
    changed = await content.save_course(
        tx,
        course.id,
        course.name,
        course_row(spec, version),
    )
    written = await versions.write_version(
        tx,
        course.id,
        version.number,
        version_row(spec, version),
        parts.version_parts(course.id, spec),
        new=decision.is_new,
    )
    written += await versions.write_gates(tx, course.id, parts.gates(spec), new=new)
    written += await versions.write_prerequisites(tx, course.name, parts.prerequisites(spec))
    written += await content.declare_assets(tx, course.id, digests(spec))
    return int(changed) + written


async def _repair_live(
    tx: AsyncSession, course_id: UUID, live: Version | None, current: Version
) -> int:
    """How many parts of what learners have were not as published, while the next is a draft."""
    if live is None or live.number == current.number:
        return 0
    row = await content.get_version(tx, course_id, live.number)
    spec = CourseSpec.model_validate(row.content)
    return await versions.write_parts(
        tx, course_id, live.number, parts.version_parts(course_id, spec)
    )


def course_row(spec: CourseSpec, version: Version) -> dict[str, Any]:
    """Row of a course that stands at that version, without id, tenant and name."""
    return {
        "lifecycle": version.lifecycle.value,
        "current_version": version.number,
        "visibility": spec.visibility.value,
        "enrolment_mode": spec.enrolment.value,
        "policy": policy_of(spec),
    }


def version_row(spec: CourseSpec, version: Version) -> dict[str, Any]:
    """Row of the version that the spec stands for, without course, number and tenant."""
    return {
        "title": spec.title,
        "time_zone": spec.time_zone,
        "digest": version.digest,
        "lifecycle": version.lifecycle.value,
        "eligible": version.eligible,
        "content": content_of(spec),
    }


async def _go_live(tx: AsyncSession, course: _Course, version: Version) -> None:
    await content.set_live(tx, [course.id], version.number)
    await outbox.emit(
        tx,
        announcements.published(
            course.id,
            course.name,
            course.spec,
            version=version.number,
            digest=version.digest,
        ),
    )


async def _live_assignments(
    tx: AsyncSession, course: Row[Any] | None
) -> dict[str, AssignmentCreated]:
    """What learners have of assignments, by key; empty before anything is live."""
    if course is None or course.live_version is None:
        return {}
    row = await content.get_version(tx, course.id, course.live_version)
    spec = CourseSpec.model_validate(row.content)
    return announcements.assignments(course.id, course.name, spec, course.policy)


async def _tell_of_assignments(tx: AsyncSession, name: str, before: Row[Any] | None) -> None:
    """Siblings hear how the assignments differ from those of the course's row before."""
    had = await _live_assignments(tx, before)
    now = await _live_assignments(tx, await content.find_course(tx, name))
    for event in announcements.assignment_news(had, now):
        await outbox.emit(tx, event)


async def publish_waiting(tx: AsyncSession, name: str) -> int | None:
    """Takes the current version live when only its assets were missing; its number, or None."""
    course = await content.find_course(tx, name, lock=True)
    if course is None:
        return None
    version = (await content.standing(tx, course)).current
    if version is None:
        return None
    spec = await _stored_spec(tx, course)
    missing = await content.missing_assets(tx, course.id, digests(spec))
    if not goes_live(version, course.live_version, missing):
        return None
    await _go_live(tx, _Course(course.id, name, spec), version)
    await _tell_of_assignments(tx, name, course)
    return version.number


async def missing_paths(tx: AsyncSession, name: str) -> list[str]:
    """Paths of the current version's files that are not stored yet."""
    course = await content.find_course(tx, name)
    if course is None:
        return []
    spec = await _stored_spec(tx, course)
    return await content.missing_assets(tx, course.id, digests(spec))


async def still_missing(tx: AsyncSession, name: str) -> tuple[Pending, ...]:
    """What keeps the current version from being live: files that are not stored yet."""
    return _pending(await missing_paths(tx, name))


async def _stored_spec(tx: AsyncSession, course: Row[Any]) -> CourseSpec:
    row = await content.get_version(tx, course.id, course.current_version)
    return CourseSpec.model_validate(row.content)


def applied(
    doc: Doc[CourseSpec],
    claim: Claim,
    version: Version,
    *,
    live: int | None,
    repaired: bool,
    missing: list[str],
) -> Applied:
    """What is answered to a document: the version it stands for, and what that still waits for."""
    return Applied(
        name=doc.name,
        changed=claim.changed or repaired,
        id=claim.id,
        version=version.number,
        digest=version.digest,
        status={
            "lifecycle": version.lifecycle.value,
            "publishedVersion": live,
            "lessons": sum(len(chapter.lessons) for chapter in doc.spec.chapters),
        },
        pending=_pending(missing),
    )


def _pending(missing: list[str]) -> tuple[Pending, ...]:
    return (Pending("AssetsMissing", _missing_sentence(missing)),) if missing else ()


def _missing_sentence(missing: list[str]) -> str:
    named = ", ".join(missing[:MOST_NAMED])
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return (
        f"{len(missing)} file(s) are not stored yet: {named}{more}. "
        "Send them with 'kourse push-assets'."
    )


async def keep_wish(tx: AsyncSession, doc: Doc[CourseSpec], error: KourseError) -> None:
    """Keeps what a course requires that waits for it, so that a circle through it is seen."""
    if isinstance(error, PrerequisiteUnknown):
        await versions.write_prerequisites(tx, doc.name, parts.prerequisites(doc.spec))
