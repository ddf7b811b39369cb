"""Files as answers: announced, sent by the learner, taken over by us, and named by the answer.

The way is that of hand-ins: a link for exactly the announced content, then a copy that no link reaches,
read back and its digest computed. An answer names files that were taken over, and so exactly their
versions. All of it needs an attempt that runs; what is named when it ends stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import Attempt, AttemptState
from kourse.assessment.errors import (
    AnswerFileNamed,
    AnswerFileRefused,
    AttemptClosed,
    InvalidAnswer,
)
from kourse.assessment.repository import attempts, files, saving
from kourse.assessment.repository.saving import Writable
from kourse.assessment.service.access import get_own_attempt
from kourse.contracts import names
from kourse.contracts.errors import NotFound
from kourse.contracts.resources.pool import FileRules
from kourse.kit import faults
from kourse.kit.ids import new_id
from kourse.kit.runtime import Runtime
from kourse.kit.storage import Upload, take_over
from kourse.rules import timing
from kourse.rules.files import File, objection


@dataclass(frozen=True)
class Offer:
    """An announced file and how to send it."""

    row: Row[Any]
    upload: Upload


async def ensure_place(runtime: Runtime, tenant: str, learner_id: UUID, attempt_id: UUID) -> None:
    """The bucket of the attempt's course is there; a foreign attempt is left to whoever asks next.

    Raises:
        Unavailable: Database or object store do not answer.
    """
    async with runtime.database.transaction(tenant) as tx:
        attempt = await attempts.find_attempt(tx, attempt_id, learner_id=learner_id)
    if attempt is not None:
        await runtime.buckets.ensure_ready(bucket_of(runtime, tenant, attempt.course))


async def announce(
    tx: AsyncSession,
    runtime: Runtime,
    learner_id: UUID,
    attempt_id: UUID,
    slot: int,
    file: File,
    sha256: str,
) -> Offer:
    """A link by which exactly this file is sent.

    Raises:
        NotFound: There is no such question for files in an attempt of theirs.
        AttemptClosed: It was submitted, or its time and grace are over.
        AnswerFileRefused: The question takes no such file, with the others of the slot.
    """
    found, rules = await _writable(tx, learner_id, attempt_id, slot)
    await files.lock_files(tx, attempt_id, slot)
    others = [
        File(row.name, row.size_bytes) for row in await files.list_files(tx, attempt_id, slot)
    ]
    problem = objection(
        [*others, file],
        extensions=rules.extensions,
        max_files=rules.max_files,
        max_size_mib=rules.max_size_mib,
    )
    if problem is not None:
        raise AnswerFileRefused(problem)
    values = {"name": file.name, "size_bytes": file.size, "sha256": sha256}
    where = {"attempt_id": attempt_id, "slot": slot, "learner_id": learner_id}
    row = await files.add_file(tx, {**where, **values})
    bucket = bucket_of(runtime, tx.info["tenant"], found.attempt.course)
    return Offer(row, runtime.store.presign_put(bucket, names.draft_key(row.id), sha256, file.size))


async def confirm(
    runtime: Runtime, tenant: str, learner_id: UUID, attempt_id: UUID, slot: int, file_id: UUID
) -> Row[Any]:
    """The file has arrived, has the announced digest, and can be named by the answer.

    Repeating it changes nothing. Cut short at any point it leaves at most an object that nobody refers
    to, which is collected.

    Raises:
        NotFound: There is no such file of the learner's.
        AttemptClosed: The attempt was submitted, or its time and grace are over.
        FileMissing: It was not sent, or is another one.
        Unavailable: Database or object store do not answer.
    """
    async with runtime.database.transaction(tenant) as tx:
        found, _ = await _writable(tx, learner_id, attempt_id, slot)
        row = await _file(tx, attempt_id, slot, file_id)
    if row.stored_at is not None:
        return row
    bucket = bucket_of(runtime, tenant, found.attempt.course)
    key, draft = names.answer_file_key(attempt_id, new_id()), names.draft_key(row.id)
    version_id = await take_over(
        runtime.store, bucket, draft, key, name=row.name, sha256=row.sha256, size=row.size_bytes
    )
    await faults.point("answer-file.taken-over")
    async with runtime.database.transaction(tenant) as tx:
        await _writable(tx, learner_id, attempt_id, slot)
        stored = await files.store_file(tx, row.id, key, version_id)
        if stored is None:
            # Somebody else confirmed or withdrew it meanwhile; our copy is collected.
            stored = await _file(tx, attempt_id, slot, file_id)
    await runtime.store.delete(bucket, draft)
    return stored


async def withdraw(
    tx: AsyncSession, learner_id: UUID, attempt_id: UUID, slot: int, file_id: UUID
) -> None:
    """The file makes room for another; what was sent of it is collected.

    Raises:
        NotFound: There is no such file of the learner's.
        AttemptClosed: The attempt was submitted, or its time and grace are over.
        AnswerFileNamed: The stored answer names it.
    """
    await _writable(tx, learner_id, attempt_id, slot)
    await files.lock_files(tx, attempt_id, slot)
    await _file(tx, attempt_id, slot, file_id)
    stored = await saving.find_answer(tx, attempt_id, slot)
    if stored is not None and str(file_id) in named_in(stored.body):
        raise AnswerFileNamed("Save the answer without the file first.")
    await files.delete_file(tx, file_id)


async def fixed(
    tx: AsyncSession, attempt_id: UUID, slot: int, payload: Mapping[str, Any]
) -> dict[str, Any]:
    """The answer with the digest and version of each file that it names.

    Raises:
        InvalidAnswer: A file is not there, has not arrived, is named twice or is another version.
    """
    await files.lock_files(tx, attempt_id, slot)
    known = {str(row.id): row for row in await files.list_files(tx, attempt_id, slot)}
    chosen: dict[str, dict[str, Any]] = {}
    for given in payload["files"]:
        row = known.get(given["id"])
        if row is None or row.stored_at is None or given["id"] in chosen:
            raise InvalidAnswer("answer.files: name files that were sent and confirmed, each once.")
        exact = {"id": given["id"], "sha256": row.sha256, "version": row.version_id}
        if any(value not in {None, exact[name]} for name, value in given.items()):
            raise InvalidAnswer("answer.files: this is not the version that was confirmed.")
        chosen[given["id"]] = exact
    return {"files": list(chosen.values())}


async def list_own(
    tx: AsyncSession, learner_id: UUID, attempt_id: UUID, slot: int
) -> tuple[Attempt, Sequence[Row[Any]]]:
    """The files of a slot of the learner's attempt, whatever became of it.

    Raises:
        NotFound: There is no such attempt of theirs.
    """
    attempt = await get_own_attempt(tx, learner_id, attempt_id)
    return attempt, await files.list_files(tx, attempt_id, slot)


def named_in(body: Mapping[str, Any] | None) -> set[str]:
    """Ids of the files that a stored answer names."""
    return {one["id"] for one in (body or {}).get("files", ())}


def bucket_of(runtime: Runtime, tenant: str, course: str) -> str:
    """The course's bucket."""
    return names.bucket(runtime.settings.bucket_prefix, tenant, course)


async def _writable(
    tx: AsyncSession, learner_id: UUID, attempt_id: UUID, slot: int
) -> tuple[Writable, FileRules]:
    found = await saving.find_writable(tx, attempt_id, learner_id, slot)
    if found is None or found.asked.question.file is None:
        raise NotFound("There is no such question for files in an attempt of yours.")
    if found.attempt.state is not AttemptState.IN_PROGRESS:
        raise AttemptClosed("The attempt is submitted; answers cannot be changed any more.")
    if not timing.accepts_work(found.attempt.deadline_at, found.received_at):
        raise AttemptClosed("The time is over; answers cannot be changed any more.")
    return found, found.asked.question.file


async def _file(tx: AsyncSession, attempt_id: UUID, slot: int, file_id: UUID) -> Row[Any]:
    for row in await files.list_files(tx, attempt_id, slot):
        if row.id == file_id:
            return row
    raise NotFound("There is no such file of yours.")
