"""Routes of files that answer exam questions: learners send them, and they and graders read them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from kourse.assessment.schemas.files import AnswerFileList, AnswerFileView, NamedFileList
from kourse.assessment.service import files, reviewing
from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http.files import AnnouncedFile, DraftFileView, KeptFileView, OfferedFile
from kourse.kit.http.routes import patient
from kourse.kit.idempotency import IdempotencyKey, idempotency
from kourse.kit.runtime import CurrentRuntime, Runtime
from kourse.rules.files import File

router = APIRouter()
Taker = Annotated[Actor, allow(Permission.ATTEMPT_TAKE)]
Grader = Annotated[Actor, allow(Permission.ATTEMPT_GRADE, scoped=True)]
Key = Annotated[IdempotencyKey, idempotency()]
MAX_SLOT = 10_000
Slot = Annotated[int, Path(ge=1, le=MAX_SLOT)]
_FILES = "/v1/attempts/{attempt}/answers/{slot}/files"


async def _place(actor: Taker, runtime: CurrentRuntime, attempt: UUID) -> None:
    """The bucket is there before the transaction begins, in which the store is not asked."""
    await files.ensure_place(runtime, actor.tenant, actor.user_id, attempt)


@router.get(_FILES, tags=["learning"], summary="Your files for a question")
async def list_answer_files(
    actor: Taker, tx: Transaction, runtime: CurrentRuntime, attempt: UUID, slot: Slot
) -> AnswerFileList:
    """What you announced and sent for a question of an attempt, also when it is over."""
    found, rows = await files.list_own(tx, actor.user_id, attempt, slot)
    bucket = files.bucket_of(runtime, actor.tenant, found.course)
    return AnswerFileList(items=[_own(runtime, bucket, row) for row in rows])


@router.post(
    _FILES,
    status_code=201,
    tags=["learning"],
    summary="Announce a file for a question",
    dependencies=[Depends(_place)],
)
async def announce_answer_file(
    actor: Taker,
    tx: Transaction,
    runtime: CurrentRuntime,
    key: Key,
    attempt: UUID,
    slot: Slot,
    body: AnnouncedFile,
) -> OfferedFile:
    """A link by which exactly this file is sent while the attempt runs; confirm it when it was."""
    file = File(body.name, body.size)
    offer = await files.announce(tx, runtime, actor.user_id, attempt, slot, file, body.sha256)
    offered = OfferedFile(
        **_draft(offer.row).model_dump(),
        method=offer.upload.method,
        url=offer.upload.url,
        headers=dict(offer.upload.headers),
    )
    return await key.remember(tx, 201, offered)


@router.post(
    f"{_FILES}/{{file_id}}/stored",
    tags=["learning"],
    summary="Confirm a file for a question",
    dependencies=[patient],
)
async def confirm_answer_file(
    actor: Taker, runtime: CurrentRuntime, attempt: UUID, slot: Slot, file_id: UUID
) -> DraftFileView:
    """What was sent is read, its digest compared, and kept so that the answer can name it."""
    row = await files.confirm(runtime, actor.tenant, actor.user_id, attempt, slot, file_id)
    return _draft(row)


@router.delete(
    f"{_FILES}/{{file_id}}",
    status_code=204,
    tags=["learning"],
    summary="Withdraw a file for a question",
)
async def withdraw_answer_file(
    actor: Taker, tx: Transaction, key: Key, attempt: UUID, slot: Slot, file_id: UUID
) -> None:
    """A file that the saved answer does not name makes room for another."""
    await files.withdraw(tx, actor.user_id, attempt, slot, file_id)
    await key.remember(tx, 204, None)


@router.get(
    "/v1/attempts/{attempt_id}/reviews/{slot}/files",
    tags=["teaching"],
    summary="The files of an answer to grade",
)
async def read_review_files(
    actor: Grader, tx: Transaction, runtime: CurrentRuntime, attempt_id: UUID, slot: Slot
) -> NamedFileList:
    """Links to exactly the versions that the answer names; who asks stands in the audit trail."""
    sheet, rows = await reviewing.read_files(tx, actor, attempt_id, slot)
    bucket = files.bucket_of(runtime, actor.tenant, sheet.sitting.attempt.course)
    return NamedFileList(items=[_kept(runtime, bucket, row) for row in rows])


def _draft(row: Any) -> DraftFileView:
    return DraftFileView(
        id=row.id, name=row.name, size=row.size_bytes, sha256=row.sha256, stored_at=row.stored_at
    )


def _own(runtime: Runtime, bucket: str, row: Any) -> AnswerFileView:
    link = None if row.key is None else _link(runtime, bucket, row)
    return AnswerFileView(**_draft(row).model_dump(), version_id=row.version_id, url=link)


def _kept(runtime: Runtime, bucket: str, row: Any) -> KeptFileView:
    return KeptFileView(
        id=row.id,
        name=row.name,
        size=row.size_bytes,
        sha256=row.sha256,
        version_id=row.version_id,
        url=_link(runtime, bucket, row),
    )


def _link(runtime: Runtime, bucket: str, row: Any) -> str:
    return runtime.store.presign_get(bucket, row.key, filename=row.name, version=row.version_id)
