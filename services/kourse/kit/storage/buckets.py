"""Buckets: made private, versioned and tidy, with what plain S3 offers.

A store without an optional feature still serves: what is missing is reported as a degradation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from kourse.contracts.errors import KourseError, Unavailable

if TYPE_CHECKING:
    from minio import Minio

T = TypeVar("T")
RETRY_AFTER_S = 5.0
TIMEOUT_S = 5.0
THREADS = 4
_MISSING_FEATURE = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented"})
_REFUSED_RULE = frozenset({"InvalidArgument", "MalformedXML", "InvalidRequest"})
_OLD_VERSIONS = "kourse-noncurrent"
_UPLOADS = "kourse-uploads"
_MISTAKES = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})
_ABSENT = frozenset({"NoSuchBucket", "NoSuchBucketPolicy", "NoSuchLifecycleConfiguration"})


@dataclass(frozen=True)
class Degradation:
    """An optional feature that the store does not have.

    Attributes:
        feature: ``versioning``, ``policy``, ``lifecycle`` or ``uploads``.
        message: What follows from its absence.
    """

    feature: str
    message: str


class BucketAdmin:
    """Looks after buckets; the client is synchronous, so every call runs in one of four threads.

    Every method raises Unavailable when the store cannot be reached or refuses the keys.

    Args:
        endpoint: ``http(s)://host[:port]`` of the store.
        region: Region of the store.
        access_key: Key that may make buckets.
        secret_key: Its secret.
    """

    def __init__(self, endpoint: str, *, region: str, access_key: str, secret_key: str) -> None:
        self._endpoint = urlsplit(endpoint)
        self._region = region
        self._keys = (access_key, secret_key)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="buckets")
        self._made: Minio | None = None

    async def ensure_bucket(self, name: str) -> bool:
        """The bucket exists; whether it was made now."""
        return await self._run(lambda client: _ensure_bucket(client, name, self._region))

    async def ensure_versioning(self, name: str) -> list[Degradation]:
        """Older contents are kept; a degradation where the store cannot."""
        message = "Overwritten and deleted objects cannot be restored."
        return await self._optional("versioning", message, lambda c: _ensure_versioning(c, name))

    async def ensure_private(self, name: str) -> list[Degradation]:
        """No policy lets strangers in."""
        message = "The store has no bucket policies; it must be private by itself."
        return await self._optional("policy", message, lambda c: _ensure_private(c, name))

    async def ensure_lifecycle(
        self, name: str, *, noncurrent_days: int = 30, incomplete_days: int = 1
    ) -> list[Degradation]:
        """Old versions and abandoned uploads go after these days."""
        old = await self._optional(
            "lifecycle",
            "Old versions must be removed by other means.",
            lambda client: _ensure_lifecycle(client, name, noncurrent_days),
        )
        if old:
            return old
        return await self._optional(
            "uploads",
            "The store has no rule against abandoned uploads; it must remove them by itself.",
            lambda client: _ensure_lifecycle(client, name, noncurrent_days, incomplete_days),
        )

    async def exists(self, name: str) -> bool:
        """Whether the bucket is there."""
        return await self._run(lambda client: bool(client.bucket_exists(name)))

    async def delete_bucket(self, name: str) -> None:
        """Bucket, objects and all their versions are gone; they need not have been there."""
        await self._run(lambda client: _delete_bucket(client, name))

    async def ping(self) -> None:
        """Returns when the store answers."""
        await self._run(lambda client: client.bucket_exists("kourse-probe"))

    async def close(self) -> None:
        """Waits for nothing; threads end with the calls they are in."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _optional(
        self, feature: str, message: str, act: Callable[[Minio], None]
    ) -> list[Degradation]:
        try:
            await self._run(act)
        except _FeatureMissing:
            return [Degradation(feature, message)]
        return []

    async def _run(self, act: Callable[[Minio], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: _guarded(self._client, act))

    def _client(self) -> Minio:
        if self._made is None:
            import urllib3
            from minio import Minio

            timeout = urllib3.Timeout(connect=2.0, read=TIMEOUT_S)
            pool = urllib3.PoolManager(timeout=timeout, retries=False, maxsize=THREADS)
            self._made = Minio(
                endpoint=self._endpoint.netloc,
                access_key=self._keys[0],
                secret_key=self._keys[1],
                region=self._region,
                secure=self._endpoint.scheme == "https",
                http_client=pool,
            )
        return self._made


class _FeatureMissing(Exception):
    """The store does not know the call."""


def _guarded(client: Callable[[], Minio], act: Callable[[Minio], T]) -> T:
    from minio.error import InvalidResponseError, S3Error, ServerError
    from urllib3.exceptions import HTTPError

    try:
        return act(client())
    except S3Error as error:
        if error.code in _MISSING_FEATURE:
            raise _FeatureMissing from error
        if error.code in _MISTAKES:
            raise Unavailable("The object store refuses our keys.", retry_after_s=30) from error
        raise KourseError(f"The object store answered {error.code}.") from error
    except ServerError as error:
        if error.status_code == 501:  # noqa: PLR2004 -- Not Implemented
            raise _FeatureMissing from error
        raise _outage() from error
    except (InvalidResponseError, HTTPError, OSError) as error:
        raise _outage() from error


def _outage() -> Unavailable:
    return Unavailable("The object store is not available right now.", retry_after_s=RETRY_AFTER_S)


def _ensure_bucket(client: Minio, name: str, region: str) -> bool:
    from minio.error import S3Error

    if client.bucket_exists(name):
        return False
    try:
        client.make_bucket(name, region)
    except S3Error as error:
        if error.code == "BucketAlreadyOwnedByYou":
            return False
        raise
    return True


def _ensure_versioning(client: Minio, name: str) -> None:
    from minio.commonconfig import ENABLED
    from minio.versioningconfig import VersioningConfig

    if client.get_bucket_versioning(name).status != ENABLED:
        client.set_bucket_versioning(name, VersioningConfig(ENABLED))


def _ensure_private(client: Minio, name: str) -> None:
    from minio.error import S3Error

    try:
        client.delete_bucket_policy(name)
    except S3Error as error:
        if error.code not in _ABSENT:
            raise


def _ensure_lifecycle(
    client: Minio, name: str, noncurrent: int, incomplete: int | None = None
) -> None:
    """Sets the rules unless they are there; MinIO refuses the one about uploads, so it comes apart."""
    from minio.error import S3Error
    from minio.lifecycleconfig import LifecycleConfig

    present = client.get_bucket_lifecycle(name)
    days = {rule.rule_id: _days(rule) for rule in present.rules} if present else {}
    wanted = {_OLD_VERSIONS: noncurrent, **({_UPLOADS: incomplete} if incomplete else {})}
    if wanted.items() <= days.items():
        return
    try:
        client.set_bucket_lifecycle(name, LifecycleConfig(_rules(noncurrent, incomplete)))
    except S3Error as error:
        if incomplete and error.code in _REFUSED_RULE:
            raise _FeatureMissing from error
        raise


def _rules(noncurrent: int, incomplete: int | None) -> list[Any]:
    from minio.commonconfig import ENABLED, Filter
    from minio.lifecycleconfig import (
        AbortIncompleteMultipartUpload,
        NoncurrentVersionExpiration,
        Rule,
    )

    every = Filter(prefix="")
    expiry = NoncurrentVersionExpiration(noncurrent_days=noncurrent)
    rules = [
        Rule(
            ENABLED,
            rule_filter=every,
            rule_id=_OLD_VERSIONS,
            noncurrent_version_expiration=expiry,
        )
    ]
    if incomplete:
        abort = AbortIncompleteMultipartUpload(days_after_initiation=incomplete)
        rules.append(
            Rule(
                ENABLED,
                rule_filter=every,
                rule_id=_UPLOADS,
                abort_incomplete_multipart_upload=abort,
            )
        )
    return rules


def _days(rule: Any) -> int | None:
    expiry, abort = rule.noncurrent_version_expiration, rule.abort_incomplete_multipart_upload
    if expiry is not None:
        return int(expiry.noncurrent_days)
    return int(abort.days_after_initiation) if abort is not None else None


def _delete_bucket(client: Minio, name: str) -> None:
    from minio.deleteobjects import DeleteObject
    from minio.error import S3Error

    try:
        found: Any = client.list_objects(name, recursive=True, include_version=True)
        doomed = (DeleteObject(item.object_name, item.version_id) for item in found)
        for failure in client.remove_objects(name, doomed):
            raise KourseError(f"An object could not be removed: {failure.code}.")
        client.remove_bucket(name)
    except S3Error as error:
        if error.code not in _ABSENT:
            raise
