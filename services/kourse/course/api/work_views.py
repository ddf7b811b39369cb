"""Makes the answers about handing in from what the use cases give."""

from __future__ import annotations

from typing import Any

from kourse.course.domain.handing_in import Receipt
from kourse.course.schemas import work as schemas
from kourse.course.service.files import Offer, bucket_of
from kourse.kit.http.files import DraftFileView, KeptFileView, OfferedFile
from kourse.kit.runtime import Runtime


def offered(offer: Offer) -> OfferedFile:
    """An announced file with its link."""
    upload = offer.upload
    return OfferedFile(
        **draft(offer.row).model_dump(),
        method=upload.method,
        url=upload.url,
        headers=dict(upload.headers),
    )


def draft(row: Any) -> DraftFileView:
    """A file that waits."""
    return DraftFileView(
        id=row.id, name=row.name, size=row.size_bytes, sha256=row.sha256, stored_at=row.stored_at
    )


def receipt(runtime: Runtime, tenant: str, made: Receipt) -> schemas.ReceiptView:
    """A receipt, with links to exactly the versions that it fixes."""
    bucket = bucket_of(runtime, tenant, made.course)
    files = [
        KeptFileView(
            id=file.id,
            name=file.name,
            size=file.size,
            sha256=file.sha256,
            version_id=file.version_id,
            url=runtime.store.presign_get(
                bucket, file.key, filename=file.name, version=file.version_id
            ),
        )
        for file in made.files
    ]
    return schemas.ReceiptView(
        submission_id=made.submission_id,
        course=made.course,
        assignment=made.assignment,
        number=made.number,
        handed_in_at=made.handed_in_at,
        due_at=made.due_at,
        closes_at=made.closes_at,
        late=made.late,
        late_by_seconds=made.late_by_s,
        learner_id=made.learner_id,
        members=list(made.members),
        version=made.version,
        files=files,
        statement=made.written.statement,
        link=made.written.link,
        document=made.document(),
    )


def submission(row: Any) -> schemas.SubmissionView:
    """A submission in a grader's list."""
    return schemas.SubmissionView.model_validate(row)


def extension(row: Any) -> schemas.ExtensionView:
    """More time that was given."""
    return schemas.ExtensionView.model_validate(row)
