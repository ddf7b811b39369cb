"""Files on their way to a hand-in: announced, sent by the learner, and taken over by us.

A learner gets a link to a key of the file's own for one content, that of the announced digest and size.
What was sent is copied to a key for which no link was ever given, and the copy is read back and its digest
computed: from then on its version is the one that a receipt can fix. The hand-in itself asks the store
nothing, so nothing can come between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import names
from kourse.contracts.errors import Conflict, NotFound
from kourse.course.domain.handing_in import Receipt, require_acceptable, require_room
from kourse.course.repository import groups, hand_ins, learning
from kourse.course.service import handing_in
from kourse.course.service.assets import ensure_bucket
from kourse.course.service.assignments import Place, locate
from kourse.kit import documents, faults
from kourse.kit.ids import new_id
from kourse.kit.runtime import Runtime
from kourse.kit.storage import Upload, take_over
from kourse.rules.files import File


@dataclass(frozen=True)
class Announced:
    """A file that a learner has and can send."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Offer:
    """An announced file and how to send it."""

    row: Row[Any]
    upload: Upload


@dataclass(frozen=True)
class Own:
    """All that a learner has of an assignment.

    Attributes:
        place: Where they stand with it.
        group: Who hands in with them; none where they do alone.
        waiting: Files that no hand-in has yet.
        receipts: Hand-ins, oldest first.
    """

    place: Place
    group: tuple[UUID, ...]
    waiting: tuple[Row[Any], ...]
    receipts: tuple[Receipt, ...]


async def read_own(tx: AsyncSession, learner_id: UUID, course: str, assignment: str) -> Own:
    """What the learner or their group has of an assignment.

    Raises:
        NotFound: There is no such assignment for the learner.
        NotEnrolled: The learner is not enrolled.
    """
    place = await locate(tx, learner_id, course, assignment)
    group = await groups.list_members(tx, place.group.id) if place.group else []
    row = await hand_ins.find_submission(tx, place.work.row.id, place.owner)
    if row is None:
        return Own(place, tuple(group), (), ())
    waiting = await list_waiting(tx, row, course)
    made = await hand_ins.list_receipts(tx, row, course)
    return Own(place, tuple(group), tuple(waiting), tuple(made))


async def ensure_place(runtime: Runtime, tenant: str, course: str) -> None:
    """A course made through the REST API has its bucket; the operator sees to those of resources.

    Raises:
        Unavailable: Database or object store do not answer.
    """
    async with runtime.database.transaction(tenant) as tx:
        declared = await documents.find(tx, "Course", course)
    if declared is not None and declared.source == "api" and not declared.retired:
        await ensure_bucket(runtime, bucket_of(runtime, tenant, course))


async def announce(
    tx: AsyncSession,
    runtime: Runtime,
    learner_id: UUID,
    course: str,
    assignment: str,
    file: Announced,
) -> Offer:
    """A link by which exactly this file is sent.

    Raises:
        NotFound: There is no such assignment for the learner.
        NotEnrolled: The learner is not enrolled.
        AssignmentClosed: Nothing is taken any more.
        HandInsUsedUp: There is no further hand-in.
        FileRefused: The assignment takes no such file, with the others that wait.
        CohortQuotaUsedUp: The learner's cohort has no room for it.
    """
    place = await locate(tx, learner_id, course, assignment, lock=True)
    handing_in.require_open(place)
    submission = await hand_ins.claim_submission(
        tx, place.course.id, place.work.row, place.owner, place.enrolment
    )
    waiting = await list_waiting(tx, submission, place.course.name)
    others = [File(row.name, row.size_bytes) for row in waiting]
    require_acceptable(place.work.policy, [*others, File(file.name, file.size)])
    await _require_room(tx, place, file.size)
    values = {"name": file.name, "size_bytes": file.size, "sha256": file.sha256}
    row = await hand_ins.add_file(tx, submission.id, values)
    bucket = bucket_of(runtime, tx.info["tenant"], course)
    upload = runtime.store.presign_put(bucket, names.draft_key(row.id), file.sha256, file.size)
    return Offer(row, upload)


async def _require_room(tx: AsyncSession, place: Place, size: int) -> None:
    """Announcements of one cohort come one by one here, so that together they stay within its quota."""
    cohort_id = place.enrolment.cohort_id
    if cohort_id is None:
        return
    known = await learning.find_cohort(tx, cohort_id)
    if known is None or known.submissions_mib is None:
        return
    used = await hand_ins.lock_room(tx, cohort_id, known.cohort)
    require_room(known.cohort, known.submissions_mib, used, size)


async def list_waiting(tx: AsyncSession, submission: Row[Any], course: str) -> list[Row[Any]]:
    """Files of a submission that no hand-in has yet, in the order of their announcement."""
    receipts = await hand_ins.list_receipts(tx, submission, course)
    used = {file.id for receipt in receipts for file in receipt.files}
    return [row for row in await hand_ins.list_files(tx, submission.id) if row.id not in used]


async def confirm(
    runtime: Runtime, tenant: str, learner_id: UUID, course: str, assignment: str, file_id: UUID
) -> Row[Any]:
    """The file has arrived, has the announced digest, and can be handed in.

    Repeating it changes nothing. Cut short at any point it leaves at most an object that nobody refers
    to, which is collected.

    Raises:
        NotFound: There is no such file of the learner's.
        FileMissing: It was not sent, or is another one.
        Unavailable: Database or object store do not answer.
    """
    async with runtime.database.transaction(tenant) as tx:
        place, row = await _own_file(tx, learner_id, course, assignment, file_id)
    if row.stored_at is not None:
        return row
    bucket = bucket_of(runtime, tenant, course)
    key = names.hand_in_key(place.enrolment.cohort, row.submission_id, new_id())
    draft = names.draft_key(row.id)
    version_id = await take_over(
        runtime.store, bucket, draft, key, name=row.name, sha256=row.sha256, size=row.size_bytes
    )
    await faults.point("hand-in.taken-over")
    async with runtime.database.transaction(tenant) as tx:
        stored = await hand_ins.store_file(tx, row.id, key, version_id)
        if stored is None:
            # Somebody else confirmed or withdrew it meanwhile; our copy is collected.
            _, stored = await _own_file(tx, learner_id, course, assignment, file_id)
    await runtime.store.delete(bucket, draft)
    return stored


async def _own_file(
    tx: AsyncSession, learner_id: UUID, course: str, assignment: str, file_id: UUID
) -> tuple[Place, Row[Any]]:
    place = await locate(tx, learner_id, course, assignment)
    if place.work.submission_id is not None:
        for row in await hand_ins.list_files(tx, place.work.submission_id):
            if row.id == file_id:
                return place, row
    raise NotFound("There is no such file of yours.")


async def withdraw(
    tx: AsyncSession, learner_id: UUID, course: str, assignment: str, file_id: UUID
) -> None:
    """The file is not handed in; what was sent of it is collected.

    Raises:
        NotFound: There is no such file of the learner's.
        Conflict: It was handed in, and stays.
    """
    place = await locate(tx, learner_id, course, assignment, lock=True)
    submission = await hand_ins.claim_submission(
        tx, place.course.id, place.work.row, place.owner, place.enrolment
    )
    if file_id not in {row.id for row in await hand_ins.list_files(tx, submission.id)}:
        raise NotFound("There is no such file of yours.")
    waiting = await list_waiting(tx, submission, place.course.name)
    if file_id not in {row.id for row in waiting}:
        raise Conflict("The file was handed in; what was handed in stays.")
    await hand_ins.delete_file(tx, file_id)


def bucket_of(runtime: Runtime, tenant: str, course: str) -> str:
    """The course's bucket."""
    return names.bucket(runtime.settings.bucket_prefix, tenant, course)
