"""Files of courses: which are missing, how they are sent, and the proof that they are the right ones.

The store's checksums are a convenience that not every S3 server has, so what was sent is read back and
its digest computed here before a version relies on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from kourse.contracts import names
from kourse.contracts.errors import NotFound
from kourse.course.errors import AssetMismatch, AssetRefused
from kourse.course.repository import content
from kourse.course.service import publishing
from kourse.kit import documents
from kourse.kit.runtime import Runtime
from kourse.kit.storage import Upload

MAX_TEXT_BYTES = 1024 * 1024
"""Largest lesson text that is a file; it is read whole whenever its lesson is."""


@dataclass(frozen=True)
class Offered:
    """A file that somebody has and can send."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Request:
    """A file to send, and how."""

    path: str
    sha256: str
    upload: Upload


@dataclass(frozen=True)
class Wanted:
    """What to do with the files offered.

    Attributes:
        uploads: To be sent.
        present: Digests that lie in the bucket already and only need to be confirmed.
        stored: Digests that are known to be stored; nothing to do.
    """

    uploads: tuple[Request, ...]
    present: tuple[str, ...]
    stored: tuple[str, ...]


@dataclass(frozen=True)
class Stored:
    """What became of a confirmation.

    Attributes:
        stored: Digests that are stored and verified.
        missing: Paths of the current version that are still missing.
        published: Number of the version that went live because of it, or None.
    """

    stored: tuple[str, ...]
    missing: tuple[str, ...]
    published: int | None


async def request_uploads(
    runtime: Runtime, tenant: str, course: str, offered: Sequence[Offered]
) -> Wanted:
    """Links by which the files are sent that are not stored yet.

    Raises:
        NotFound: There is no such course.
        AssetRefused: The course asks for no such file, or it is too large.
        Unavailable: Database or object store do not answer.
    """
    async with runtime.database.transaction(tenant) as tx:
        row = await _course(tx, course)
        known = await content.list_assets(tx, row.id, [entry.sha256 for entry in offered])
        texts = await content.text_digests(tx, row.id)
        declared = await documents.find(tx, publishing.KIND, course)
    stored = {entry.sha256 for entry in known if entry.stored_at is not None}
    _require_acceptable(runtime, offered, {entry.sha256 for entry in known}, texts)
    bucket = names.bucket(runtime.settings.bucket_prefix, tenant, course)
    if declared is not None and declared.source == "api":
        await ensure_bucket(runtime, bucket)
    uploads, present = [], []
    for entry in {entry.sha256: entry for entry in offered}.values():
        if entry.sha256 in stored:
            continue
        key = names.content_key(entry.sha256)
        found = await runtime.store.head(bucket, key)
        if found is not None and found.size == entry.size:
            present.append(entry.sha256)
            continue
        upload = runtime.store.presign_put(bucket, key, entry.sha256, entry.size)
        uploads.append(Request(entry.path, entry.sha256, upload))
    return Wanted(tuple(uploads), tuple(present), tuple(sorted(stored)))


async def _course(tx: Any, name: str) -> Row[Any]:
    row = await content.find_course(tx, name)
    if row is None:
        raise NotFound(f"There is no course {name!r} here.")
    return row


def _require_acceptable(
    runtime: Runtime, offered: Sequence[Offered], known: set[str], texts: set[str]
) -> None:
    largest = runtime.settings.max_asset_mib * 1024 * 1024
    for entry in offered:
        if entry.sha256 not in known:
            raise AssetRefused(
                f"The course declares no file with the digest of {entry.path!r}; apply the manifest "
                "that names it first."
            )
        most = min(largest, MAX_TEXT_BYTES) if entry.sha256 in texts else largest
        if entry.size > most:
            raise AssetRefused(f"{entry.path!r} has {entry.size} bytes; at most {most} are taken.")


async def ensure_bucket(runtime: Runtime, bucket: str) -> None:
    """The bucket of a course made through the REST API is there; the operator makes all others."""
    await runtime.buckets.ensure_ready(bucket)


async def confirm(runtime: Runtime, tenant: str, course: str, sha256s: Sequence[str]) -> Stored:
    """Files that lie in the bucket and have their declared digest count as stored.

    When the current version waited only for them, it goes live at once.

    Raises:
        NotFound: There is no such course.
        AssetRefused: The course asks for no such file.
        AssetMismatch: A file is not there, or is another one.
        Unavailable: Database or object store do not answer.
    """
    async with runtime.database.transaction(tenant) as tx:
        row = await _course(tx, course)
        known = await content.list_assets(tx, row.id, sha256s)
    if unknown := sorted(set(sha256s) - {entry.sha256 for entry in known}):
        raise AssetRefused(f"The course declares no file with the digest {unknown[0]}.")
    bucket = names.bucket(runtime.settings.bucket_prefix, tenant, course)
    sizes = {
        entry.sha256: await _verified_size(runtime, bucket, entry)
        for entry in known
        if entry.stored_at is None
    }
    async with runtime.database.transaction(tenant) as tx:
        return await _record(tx, tenant, course, row.id, sizes, tuple(sorted(set(sha256s))))


async def _verified_size(runtime: Runtime, bucket: str, asset: Row[Any]) -> int:
    digest, size = hashlib.sha256(), 0
    try:
        async for chunk in runtime.store.stream(bucket, names.content_key(asset.sha256)):
            digest.update(chunk)
            size += len(chunk)
    except NotFound:
        raise AssetMismatch(f"{asset.path!r} is not in the bucket yet; send it first.") from None
    if digest.hexdigest() != asset.sha256:
        raise AssetMismatch(
            f"What was stored for {asset.path!r} has another digest; send it again."
        )
    return size


async def _record(
    tx: Any, tenant: str, course: str, course_id: UUID, sizes: dict[str, int], done: tuple[str, ...]
) -> Stored:
    # Whoever writes a course holds its row before they touch its files, so nobody waits in a circle.
    await content.find_course(tx, course, lock=True)
    await content.record_stored(tx, course_id, sizes)
    published = await publishing.publish_waiting(tx, course)
    missing = await publishing.missing_paths(tx, course)
    if sizes:
        await documents.wake(tx, tenant, publishing.KIND, course)
    return Stored(done, tuple(missing), published)
