"""Applies a cohort's document: its run with dates as instants, its schedule and its rules."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Rejected
from kourse.contracts.events import ContentPublished
from kourse.contracts.resources import COHORT, CohortSpec, DeletionPolicy
from kourse.kit import documents, outbox
from kourse.kit.documents import Applied, Claim, Doc, Pending
from kourse.profile.domain import runs
from kourse.profile.errors import CourseUnknown
from kourse.profile.repository import cohorts

KIND = COHORT.kind


async def apply(tx: AsyncSession, doc: Doc[CohortSpec]) -> Applied:
    """The cohort is as the document says.

    Raises:
        Rejected: The document cannot be stored as it is.
        CourseUnknown: One of its courses is not published yet.
        OwnedByApi: The name was taken through the REST API.
        OwnedByResource: The name is declared by a resource.
        StaleGeneration: A newer generation was already applied.
    """
    claim = await documents.claim(tx, KIND, doc)
    if claim.changed:
        runs.check(doc.spec)
    await _require_courses(tx, doc.spec)
    repaired = await _write(tx, claim.id, doc)
    if _is_news(claim, doc):
        await outbox.emit(tx, runs.announced(claim.id, doc.name, doc.spec))
    return Applied(
        name=doc.name,
        changed=claim.changed or repaired > 0,
        id=claim.id,
        version=None,
        digest=claim.digest,
    )


async def _require_courses(tx: AsyncSession, spec: CohortSpec) -> None:
    unknown = await cohorts.unknown_courses(tx, spec.courses)
    if unknown:
        raise CourseUnknown(
            f"The course {', '.join(map(repr, unknown))} is not published yet.", retry_after_s=5
        )


async def _write(tx: AsyncSession, cohort_id: UUID, doc: Doc[CohortSpec]) -> int:
    spec, run = doc.spec, runs.run_of(doc.spec)
    rules = spec.model_dump(
        mode="json", by_alias=True, include={"quotas", "retention_days", "feed"}
    )
    repaired = await cohorts.save_cohort(
        tx,
        cohort_id,
        doc.name,
        {
            "title": spec.title,
            "courses": spec.courses,
            "starts_on": run.starts,
            "ends_on": run.ends,
            "time_zone": spec.run.time_zone,
            "seats": spec.seats,
            "join_policy": spec.join.policy.value,
            "code_valid_days": spec.join.code_valid_days,
            "rules": rules,
        },
    )
    repaired += await cohorts.save_dates(tx, cohort_id, _date_rows(spec, run))
    return repaired + await cohorts.save_meetings(tx, cohort_id, _meeting_rows(spec))


def _date_rows(spec: CohortSpec, run: runs.Run) -> list[dict[str, Any]]:
    return [
        {
            "course": entry.course,
            "kind": "assignment" if entry.assignment else "exam",
            "key": entry.assignment or entry.exam,
            "opens_at": entry.opens_at,
            "due_at": entry.due_at,
            "closes_at": entry.closes_at,
        }
        for entry in runs.resolved(spec, run)
    ]


def _meeting_rows(spec: CohortSpec) -> list[dict[str, Any]]:
    return [
        {
            "key": entry.key,
            "position": position,
            "title": entry.title,
            "starts": entry.starts,
            "minutes": entry.minutes,
            "rrule": entry.rrule,
            "exceptions": entry.exceptions,
        }
        for position, entry in enumerate(spec.schedule)
    ]


def _is_news(claim: Claim, doc: Doc[CohortSpec]) -> bool:
    """Whether siblings were told something else, or nothing, so far."""
    if claim.created or claim.revived or claim.previous_spec is None:
        return True
    if not claim.changed:
        return False
    try:
        before = CohortSpec.model_validate(claim.previous_spec)
        told = runs.announced(claim.id, doc.name, before)
    except (ValidationError, Rejected):
        # What an older release accepted need not be readable today.
        return True
    return told != runs.announced(claim.id, doc.name, doc.spec)


async def keep_course(tx: AsyncSession, event: ContentPublished) -> None:
    """The course is known; cohorts that waited for it are looked at again."""
    is_new = await cohorts.save_course(
        tx, event.course, event.course_id, event.title, event.version
    )
    if is_new:
        await documents.wake_waiting(tx)


async def retire(
    tx: AsyncSession, name: str, uid: str | None, policy: DeletionPolicy
) -> list[Pending]:
    """The cohort is no longer declared; empty when done.

    With Retain its members stay on record and nobody can join. With Delete the cohort goes once the
    sweeper has deleted the memberships; until then that is pending.

    Raises:
        OwnedByResource: The API may not delete what a resource declares.
    """
    if not await documents.release(tx, KIND, name, uid):
        return []
    cohort = await cohorts.find_cohort(tx, name, lock=True)
    if cohort is None:
        return []
    if policy is DeletionPolicy.RETAIN:
        await cohorts.retire(tx, cohort.id, purge=False)
        return []
    if await cohorts.has_members(tx, cohort.id):
        await cohorts.retire(tx, cohort.id, purge=True)
        return [Pending("MembersRemain", "The memberships of the cohort are being deleted.")]
    await cohorts.delete_cohort(tx, cohort.id)
    await documents.release(tx, KIND, name, uid, forget=True)
    return []
