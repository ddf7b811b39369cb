"""SQL of submissions: files on their way, hand-ins and for whom they count."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.course import tables as t
from kourse.course.domain.handing_in import Kept, Receipt, Written
from kourse.course.repository.content import tenant
from kourse.kit.ids import new_id

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


async def find_submission(tx: AsyncSession, assignment_id: UUID, owner: UUID) -> Row[Any] | None:
    """What an enrolment or group works on for an assignment, or None before it began."""
    s = t.submission.c
    query = select(t.submission).where(s.assignment_id == assignment_id, s.owner == owner)
    return (await tx.execute(query)).one_or_none()


async def claim_submission(
    tx: AsyncSession, course_id: UUID, work: Row[Any], owner: UUID, enrolment: Row[Any]
) -> Row[Any]:
    """The same, begun now if it was not, and nobody else's until the commit."""
    await tx.execute(
        upsert(t.submission)
        .values(
            id=new_id(),
            tenant=tenant(tx),
            course_id=course_id,
            assignment_id=work.id,
            assignment=work.key,
            owner=owner,
            enrolment_id=enrolment.id,
            learner_id=enrolment.learner_id,
            cohort=enrolment.cohort,
        )
        .on_conflict_do_nothing(constraint="uq_submission_assignment_id_owner")
    )
    s = t.submission.c
    query = select(t.submission).where(s.assignment_id == work.id, s.owner == owner)
    return (await tx.execute(query.with_for_update())).one()


async def get_submission(tx: AsyncSession, submission_id: UUID) -> Row[Any] | None:
    """A submission with its course's name, or None."""
    query = (
        select(t.submission, t.course.c.name.label("course"))
        .join(t.course, t.course.c.id == t.submission.c.course_id)
        .where(t.submission.c.id == submission_id)
    )
    return (await tx.execute(query)).one_or_none()


async def list_submissions(
    tx: AsyncSession,
    course_id: UUID,
    assignment: str,
    *,
    cohorts: Collection[str] | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Submissions with at least one hand-in, by id, each with its newest hand-in's time and lateness.

    Args:
        tx: The transaction.
        course_id: The course.
        assignment: Key of the assignment.
        cohorts: Only of these cohorts; of everybody when None.
        after: Only submissions after this one.
        limit: Most submissions.
    """
    s, h = t.submission.c, t.hand_in.c
    query = (
        select(t.submission, h.handed_in_at, h.late, h.members)
        .join(t.hand_in, (h.submission_id == s.id) & (h.number == s.hand_ins))
        .where(s.course_id == course_id, s.assignment == assignment)
        .order_by(s.id)
        .limit(limit)
    )
    if cohorts is not None:
        query = query.where(s.cohort.in_(cohorts))
    if after is not None:
        query = query.where(s.id > after)
    return (await tx.execute(query)).all()


async def count_hand_ins(
    tx: AsyncSession, course_id: UUID, owners: Collection[UUID]
) -> dict[UUID, Row[Any]]:
    """Submissions of these owners in a course, by assignment id."""
    s = t.submission.c
    query = select(t.submission).where(s.course_id == course_id, s.owner.in_(owners))
    return {row.assignment_id: row for row in await tx.execute(query)}


# files on their way


async def add_file(tx: AsyncSession, submission_id: UUID, values: Mapping[str, Any]) -> Row[Any]:
    """A file is announced."""
    made = upsert(t.draft_file).values(
        id=new_id(), submission_id=submission_id, tenant=tenant(tx), **values
    )
    return (await tx.execute(made.returning(*t.draft_file.c))).one()


async def lock_room(tx: AsyncSession, cohort_id: UUID, cohort: str) -> int:
    """Bytes of all files of a cohort, handed in or on their way; nobody adds one until the commit."""
    await tx.execute(_LOCK, {"key": f"kourse.room:{cohort_id}"})
    s, f = t.submission.c, t.draft_file.c
    query = (
        select(func.coalesce(func.sum(f.size_bytes), 0))
        .join(t.submission, s.id == f.submission_id)
        .where(s.tenant == tenant(tx), s.cohort == cohort)
    )
    return int(await tx.scalar(query) or 0)


async def list_files(tx: AsyncSession, submission_id: UUID) -> Sequence[Row[Any]]:
    """Every file of a submission, in the order of their announcement."""
    f = t.draft_file.c
    query = select(t.draft_file).where(f.submission_id == submission_id).order_by(f.id)
    return (await tx.execute(query)).all()


async def store_file(
    tx: AsyncSession, file_id: UUID, key: str, version_id: str | None
) -> Row[Any] | None:
    """The file is stored and verified there; None when it was before, or is gone."""
    f = t.draft_file.c
    stored = (
        update(t.draft_file)
        .where(f.id == file_id, f.stored_at.is_(None))
        .values(key=key, version_id=version_id, stored_at=func.clock_timestamp())
        .returning(*f)
    )
    return (await tx.execute(stored)).one_or_none()


async def delete_file(tx: AsyncSession, file_id: UUID) -> None:
    """The file is announced no more."""
    await tx.execute(delete(t.draft_file).where(t.draft_file.c.id == file_id))


# hand-ins


async def add_hand_in(tx: AsyncSession, made: Receipt) -> None:
    """The receipt is kept, and the submission stands at it."""
    await tx.execute(
        upsert(t.hand_in).values(
            submission_id=made.submission_id,
            number=made.number,
            tenant=tenant(tx),
            learner_id=made.learner_id,
            members=list(made.members),
            files=[_stored(file) for file in made.files],
            statement=made.written.statement,
            link=made.written.link,
            version=made.version,
            handed_in_at=made.handed_in_at,
            late=made.late,
            due_at=made.due_at,
            closes_at=made.closes_at,
        )
    )
    await tx.execute(
        update(t.submission)
        .where(t.submission.c.id == made.submission_id)
        .values(hand_ins=made.number)
    )


def _stored(file: Kept) -> dict[str, Any]:
    return {
        "id": str(file.id),
        "name": file.name,
        "size": file.size,
        "sha256": file.sha256,
        "key": file.key,
        "version_id": file.version_id,
    }


async def add_members(
    tx: AsyncSession, submission: Row[Any], enrolments: Collection[Row[Any]]
) -> None:
    """The submission counts for these enrolments."""
    rows = [
        {
            "submission_id": submission.id,
            "learner_id": one.learner_id,
            "tenant": tenant(tx),
            "assignment_id": submission.assignment_id,
            "enrolment_id": one.id,
        }
        for one in enrolments
    ]
    await tx.execute(
        upsert(t.submission_member)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["submission_id", "learner_id"])
    )


async def touch(tx: AsyncSession, enrolment_id: UUID) -> None:
    """The learner was active just now."""
    e = t.enrolment.c
    now = func.clock_timestamp()
    await tx.execute(update(t.enrolment).where(e.id == enrolment_id).values(active_at=now))


async def handed_in(tx: AsyncSession, enrolment_ids: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """Enrolment and assignment of each hand-in that counts for one of these enrolments."""
    m = t.submission_member.c
    query = select(m.enrolment_id, m.assignment_id).where(m.enrolment_id.in_(enrolment_ids))
    return {(row.enrolment_id, row.assignment_id) for row in await tx.execute(query)}


async def is_member(tx: AsyncSession, submission_id: UUID, learner_id: UUID) -> bool:
    """Whether what was handed in counts for the learner."""
    m = t.submission_member.c
    query = select(m.learner_id).where(m.submission_id == submission_id, m.learner_id == learner_id)
    return (await tx.execute(query)).one_or_none() is not None


async def list_receipts(tx: AsyncSession, submission: Row[Any], course: str) -> list[Receipt]:
    """The receipts of a submission, oldest first."""
    h = t.hand_in.c
    query = select(t.hand_in).where(h.submission_id == submission.id).order_by(h.number)
    return [_receipt(row, submission, course) for row in await tx.execute(query)]


def _receipt(row: Row[Any], submission: Row[Any], course: str) -> Receipt:
    return Receipt(
        submission_id=submission.id,
        course=course,
        assignment=submission.assignment,
        number=row.number,
        learner_id=row.learner_id,
        members=tuple(row.members),
        files=tuple(Kept(**{**file, "id": UUID(file["id"])}) for file in row.files),
        written=Written(row.statement, row.link),
        version=row.version,
        handed_in_at=row.handed_in_at,
        due_at=row.due_at,
        closes_at=row.closes_at,
        late=row.late,
    )


# what holds for whom


async def list_extensions(
    tx: AsyncSession, assignment_ids: Collection[UUID], learner_ids: Collection[UUID] | None = None
) -> Sequence[Row[Any]]:
    """Extensions of these assignments, oldest first: for cohorts, and for these learners or for all."""
    x = t.extension.c
    query = select(t.extension).where(x.assignment_id.in_(assignment_ids)).order_by(x.id)
    if learner_ids is not None:
        query = query.where(x.learner_id.is_(None) | x.learner_id.in_(learner_ids))
    return (await tx.execute(query)).all()


async def list_cohort_extensions(
    tx: AsyncSession, course_id: UUID, cohort: str
) -> Sequence[Row[Any]]:
    """What a cohort as a whole was given in a course, oldest first."""
    x = t.extension.c
    query = select(t.extension).where(x.course_id == course_id, x.cohort == cohort).order_by(x.id)
    return (await tx.execute(query)).all()


async def page_extensions(
    tx: AsyncSession,
    assignment_id: UUID,
    cohorts: Collection[str] | None,
    after: UUID | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Extensions of an assignment by id, of everybody or of these cohorts and their learners."""
    x, e = t.extension.c, t.enrolment.c
    query = select(t.extension).where(x.assignment_id == assignment_id)
    if cohorts is not None:
        theirs = select(e.learner_id).where(e.course_id == x.course_id, e.cohort.in_(cohorts))
        query = query.where(x.cohort.in_(cohorts) | x.learner_id.in_(theirs))
    if after is not None:
        query = query.where(x.id > after)
    return (await tx.execute(query.order_by(x.id).limit(limit))).all()


async def add_extension(tx: AsyncSession, values: Mapping[str, Any]) -> Row[Any]:
    """The extension holds from now on."""
    made = upsert(t.extension).values(id=new_id(), tenant=tenant(tx), **values)
    return (await tx.execute(made.returning(*t.extension.c))).one()


async def look_again(tx: AsyncSession, enrolment_ids: Collection[UUID], at: datetime) -> None:
    """What closed for these enrolments is looked at once more."""
    e = t.enrolment.c
    await tx.execute(update(t.enrolment).where(e.id.in_(enrolment_ids)).values(look_at=at))
