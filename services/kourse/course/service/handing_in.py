"""Handing in: one transaction that fixes the files, the time and for whom it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.events import AssignmentSubmitted
from kourse.contracts.resources.course import AssignmentKind
from kourse.contracts.resources.meta import Lifecycle
from kourse.course.domain.handing_in import (
    Kept,
    Receipt,
    Written,
    require_acceptable,
    require_whole,
)
from kourse.course.domain.lifecycle import is_read_only
from kourse.course.errors import AssignmentClosed, CourseReadOnly, HandInsUsedUp
from kourse.course.repository import hand_ins
from kourse.course.service.assignments import Place, locate
from kourse.kit import outbox
from kourse.kit.storage import FileMissing
from kourse.rules.credit import periods_late
from kourse.rules.files import File


@dataclass(frozen=True)
class Order:
    """What a learner hands in.

    Attributes:
        files: Ids of files that have arrived, in the order wanted.
        written: What comes with them.
    """

    files: tuple[UUID, ...]
    written: Written


def require_open(place: Place) -> None:
    """Returns when the learner may hand in now.

    Raises:
        CourseReadOnly: The course is archived.
        AssignmentClosed: The close that holds for the learner has passed.
        HandInsUsedUp: Every hand-in that the assignment takes was made.
    """
    if is_read_only(Lifecycle(place.course.lifecycle), retired=place.course.retired_at is not None):
        raise CourseReadOnly
    closes_at = place.work.effective.dates.closes_at
    if closes_at is not None and place.now >= closes_at:
        raise AssignmentClosed(
            f"It closed on {closes_at:%Y-%m-%d} at {closes_at:%H:%M} UTC.",
            extensions={"closesAt": closes_at.isoformat()},
        )
    most = place.work.policy.hand_ins
    if place.work.hand_ins >= most:
        raise HandInsUsedUp(f"The assignment takes {most} hand-ins, and there are as many.")


async def hand_in(
    tx: AsyncSession, learner_id: UUID, course: str, assignment: str, order: Order
) -> Receipt:
    """The receipt of a new hand-in; from now on nothing of it changes, and the last one counts.

    Hand-ins of one learner or group come one by one, and none comes after the close: time is told
    once nobody else can move the dates or tell that the assignment expired.

    Raises:
        NotFound: There is no such assignment for the learner, or no such file of theirs.
        NotEnrolled: The learner is not enrolled.
        AssignmentClosed: Nothing is taken any more.
        HandInsUsedUp: There is no further hand-in.
        FileMissing: A file has not arrived.
        FileRefused: The assignment takes no such files.
        HandInRefused: It is not what the assignment asks for.
    """
    place = await locate(tx, learner_id, course, assignment, lock=True)
    require_open(place)
    row = await hand_ins.claim_submission(
        tx, place.course.id, place.work.row, place.owner, place.enrolment
    )
    files = _chosen(await hand_ins.list_files(tx, row.id), order.files)
    require_acceptable(place.work.policy, [File(file.name, file.size) for file in files])
    require_whole(AssignmentKind(place.work.row.kind), files, order.written)
    made = _receipt(place, row, learner_id, files, order.written)
    await hand_ins.add_hand_in(tx, made)
    await hand_ins.add_members(tx, row, place.members)
    await hand_ins.touch(tx, place.enrolment.id)
    await outbox.emit(tx, _submitted(place, made, row))
    return made


def _chosen(known: Sequence[Row[Any]], wanted: Sequence[UUID]) -> list[Kept]:
    by_id = {row.id: row for row in known}
    if unknown := [id_ for id_ in wanted if id_ not in by_id]:
        raise NotFound(f"There is no file {unknown[0]} of yours.")
    rows = [by_id[id_] for id_ in dict.fromkeys(wanted)]
    for row in rows:
        if row.stored_at is None:
            raise FileMissing(f"{row.name!r} has not arrived yet; send and confirm it first.")
    return [
        Kept(row.id, row.name, row.size_bytes, row.sha256, row.key, row.version_id) for row in rows
    ]


def _receipt(
    place: Place, submission: Row[Any], learner_id: UUID, files: Sequence[Kept], written: Written
) -> Receipt:
    dates, policy = place.work.effective.dates, place.work.policy.late_policy
    return Receipt(
        submission_id=submission.id,
        course=place.course.name,
        assignment=place.work.row.key,
        number=submission.hand_ins + 1,
        learner_id=learner_id,
        members=tuple(one.learner_id for one in place.members),
        files=tuple(files),
        written=written,
        version=place.course.version,
        handed_in_at=place.now,
        due_at=dates.due_at,
        closes_at=dates.closes_at,
        late=periods_late(dates.due_at, place.now, policy) > 0,
    )


def _submitted(place: Place, made: Receipt, submission: Row[Any]) -> AssignmentSubmitted:
    return AssignmentSubmitted(
        submission_id=made.submission_id,
        enrolment_id=submission.enrolment_id,
        learner_id=submission.learner_id,
        course_id=place.course.id,
        course=place.course.name,
        cohort=submission.cohort,
        assignment_id=submission.assignment_id,
        assignment=submission.assignment,
        number=made.number,
        submitted_at=made.handed_in_at,
        late_by_s=made.late_by_s,
        due_at=made.due_at,
        members=list(made.members),
        enrolments=[one.id for one in place.members],
    )


async def own_receipts(tx: AsyncSession, learner_id: UUID, submission_id: UUID) -> list[Receipt]:
    """The receipts of a submission that counts for the learner, oldest first.

    Raises:
        NotFound: There is none of theirs with this id.
    """
    found = await hand_ins.get_submission(tx, submission_id)
    if found is None or not await hand_ins.is_member(tx, submission_id, learner_id):
        raise NotFound("There is no such submission of yours.")
    return await hand_ins.list_receipts(tx, found, found.course)
