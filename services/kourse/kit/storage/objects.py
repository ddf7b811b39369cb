"""Object data: written, read, listed and linked to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import obstore
from obstore import exceptions
from obstore.store import S3Store

from kourse.contracts.errors import NotFound, Unavailable
from kourse.kit.storage.signing import MAX_LINK_S, Signer, Upload

RETRY_AFTER_S = 5.0
_OUTAGE = "The object store is not available right now."


@dataclass(frozen=True)
class ObjectInfo:
    """What the store knows of an object.

    Attributes:
        key: Its key.
        size: Bytes.
        etag: Changes with the content, or None where the store gives none.
        modified_at: Time of the last write.
        version: Id of this version, or None where the bucket keeps none.
    """

    key: str
    size: int
    etag: str | None
    modified_at: datetime
    version: str | None = None


class ObjectStore:
    """Objects in all buckets of one store.

    Every method raises Unavailable when the store cannot be reached.

    Args:
        endpoint: Address for services.
        public_endpoint: Address for learners, for which links are signed.
        region: Region of the store.
        access_key: Key that the store knows.
        secret_key: Its secret.
    """

    def __init__(
        self, endpoint: str, *, public_endpoint: str, region: str, access_key: str, secret_key: str
    ) -> None:
        self._config: Any = {
            "endpoint": endpoint,
            "region": region,
            "access_key_id": access_key,
            "secret_access_key": secret_key,
            "virtual_hosted_style_request": False,
        }
        self._signer = Signer(
            public_endpoint, region=region, access_key=access_key, secret_key=secret_key
        )
        self._buckets: dict[str, S3Store] = {}

    async def put(
        self, bucket: str, key: str, data: bytes, *, content_type: str = "application/octet-stream"
    ) -> None:
        """The object has this content; what was there before is replaced."""
        with _outages(bucket, key):
            await obstore.put_async(
                self._bucket(bucket), key, data, attributes={"Content-Type": content_type}
            )

    async def get(self, bucket: str, key: str) -> bytes:
        """The whole content; NotFound when there is none. For small objects only."""
        with _outages(bucket, key):
            result = await obstore.get_async(self._bucket(bucket), key)
            return bytes(await result.bytes_async())

    async def stream(self, bucket: str, key: str) -> AsyncIterator[bytes]:
        """The content in chunks of at most some MiB; NotFound when there is none."""
        with _outages(bucket, key):
            result = await obstore.get_async(self._bucket(bucket), key)
            async for chunk in result.stream():
                yield bytes(chunk)

    async def head(self, bucket: str, key: str) -> ObjectInfo | None:
        """What is known of the object, or None when there is none."""
        try:
            with _outages(bucket, key):
                return _info(await obstore.head_async(self._bucket(bucket), key))
        except NotFound:
            return None

    async def copy(self, bucket: str, source: str, key: str) -> None:
        """The object has the source's present content; NotFound when there is no source."""
        with _outages(bucket, source):
            await obstore.copy_async(self._bucket(bucket), source, key)

    async def delete(self, bucket: str, key: str) -> None:
        """The object is not there; it need not have been."""
        with _outages(bucket, key):
            await obstore.delete_async(self._bucket(bucket), key)

    async def list(self, bucket: str, prefix: str = "") -> list[ObjectInfo]:
        """Every object whose key begins with whole path segments ``prefix``, by key."""
        with _outages(bucket, prefix):
            found = await obstore.list(self._bucket(bucket), prefix or None).collect_async()
            return sorted(map(_info, found), key=lambda info: info.key)

    def presign_get(
        self,
        bucket: str,
        key: str,
        expires_s: int = MAX_LINK_S,
        filename: str | None = None,
        version: str | None = None,
    ) -> str:
        """Link by which whoever has it reads the object, for at most 300 s."""
        return self._signer.get(
            bucket, key, expires_s=expires_s, filename=filename, version=version
        )

    def presign_put(
        self, bucket: str, key: str, sha256: str, size: int, expires_s: int = MAX_LINK_S
    ) -> Upload:
        """Link, with the headers to send, by which exactly this content is stored."""
        return self._signer.put(bucket, key, sha256=sha256, size=size, expires_s=expires_s)

    def _bucket(self, name: str) -> S3Store:
        if name not in self._buckets:
            self._buckets[name] = S3Store(
                name,
                config=self._config,
                client_options={
                    "allow_http": True,
                    "timeout": timedelta(seconds=10),
                    "connect_timeout": timedelta(seconds=2),
                },
                retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
            )
        return self._buckets[name]


@contextmanager
def _outages(bucket: str, key: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, exceptions.NotFoundError) as error:
        raise NotFound(f"There is no object {key} in {bucket}.") from error
    except (exceptions.BaseError, OSError) as error:
        raise Unavailable(_OUTAGE, retry_after_s=RETRY_AFTER_S) from error


def _info(meta: Any) -> ObjectInfo:
    return ObjectInfo(
        key=meta["path"],
        size=meta["size"],
        etag=meta["e_tag"],
        modified_at=meta["last_modified"],
        version=meta["version"],
    )
