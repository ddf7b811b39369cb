"""Signed calls to a plain S3 server about buckets: Signature Version 4 in headers, over one session.

Written out here because the clients for buckets are synchronous: a call then costs a thread and several
times the work, and an operator makes four calls for every course.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

import aiohttp
from yarl import URL

from kourse.contracts.errors import KourseError, Unavailable
from kourse.kit import clock
from kourse.kit.storage.signing import ALGORITHM, Keys, query_string

CONNECTIONS = 16
RETRY_AFTER_S = 5.0
TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=2, sock_read=5)
_MISTAKES = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})
_MISSING_FEATURE = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented"})


class FeatureMissing(Exception):
    """The store does not know the call."""


class StoreRefused(KourseError):
    """The store understood and refused.

    Attributes:
        answer: Its word for the reason, for example ``NoSuchBucket``.
    """

    def __init__(self, code: str) -> None:
        """``code`` is the store's word for the reason."""
        super().__init__(f"The object store answered {code}.")
        self.answer = code


class Requests:
    """Calls to one store; connects on first use."""

    def __init__(
        self,
        endpoint: str,
        *,
        region: str,
        access_key: str,
        secret_key: str,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """Makes no call yet.

        Args:
            endpoint: ``http(s)://host[:port]`` of the store.
            region: Region in the signature.
            access_key: Key that the store knows.
            secret_key: Its secret.
            now: The present.
        """
        self._endpoint = endpoint.rstrip("/")
        self._host = urlsplit(endpoint).netloc
        self._keys = Keys(region, access_key, secret_key)
        self._now = now
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self, method: str, bucket: str, query: Mapping[str, str] | None = None, body: bytes = b""
    ) -> bytes:
        """The answer's body.

        Raises:
            FeatureMissing: The store does not know the call.
            StoreRefused: It refuses it, for example because there is no such bucket.
            Unavailable: It cannot be reached, fails, or refuses our keys.
        """
        path, asked = "/" + quote(bucket, safe="-_.~"), query_string(query or {})
        headers = self._signed(method, path, asked, body)
        url = URL(f"{self._endpoint}{path}?{asked}", encoded=True)
        try:
            async with self._open().request(
                method, url, data=body or None, headers=headers, allow_redirects=False
            ) as answer:
                status, content = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _outage() from error
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            raise _failure(status, content)
        return content

    async def close(self) -> None:
        """Closes the connections."""
        if self._session:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                timeout=TIMEOUT,
                skip_auto_headers=["Content-Type"],
            )
        return self._session

    def _signed(self, method: str, path: str, query: str, body: bytes) -> dict[str, str]:
        at = self._now().strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        headers = {"host": self._host, "x-amz-content-sha256": digest, "x-amz-date": at}
        if body:  # S3 insists on it for rules and for deleting many
            md5 = hashlib.md5(body, usedforsecurity=False).digest()
            headers["content-md5"] = base64.b64encode(md5).decode()
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{digest}"
        credential = f"{self._keys.access_key}/{self._keys.scope(at)}"
        signature = self._keys.signature(at, canonical)
        headers["authorization"] = (
            f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
        )
        return headers


def _failure(status: int, content: bytes) -> Exception:
    code = _code(content) or _plain_code(status)
    if status == HTTPStatus.NOT_IMPLEMENTED or code in _MISSING_FEATURE:
        return FeatureMissing(code)
    if code in _MISTAKES:
        return Unavailable("The object store refuses our keys.", retry_after_s=30)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _outage()
    return StoreRefused(code)


def _code(content: bytes) -> str:
    try:
        return ET.fromstring(content).findtext("{*}Code", "")  # noqa: S314 -- our own store
    except ET.ParseError:
        return ""


def _plain_code(status: int) -> str:
    """What an answer without a body means, as those to HEAD are."""
    return {403: "AccessDenied", 404: "NoSuchBucket"}.get(status, f"status {status}")


def _outage() -> Unavailable:
    return Unavailable("The object store is not available right now.", retry_after_s=RETRY_AFTER_S)
