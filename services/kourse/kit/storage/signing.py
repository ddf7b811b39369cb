"""Links to objects that work for minutes, signed without asking the store (Signature Version 4).

Written out here because the store libraries sign neither the checksum and size that an upload must
have nor the name under which a download is saved.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote, urlsplit

from kourse.kit import clock

MAX_LINK_S = 300
"""Longest life of a link, in seconds."""
ALGORITHM = "AWS4-HMAC-SHA256"
_UNSIGNED = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True)
class Keys:
    """Who signs, and where for.

    Attributes:
        region: Region in the signature.
        access_key: Key that the store knows.
        secret_key: Its secret.
    """

    region: str
    access_key: str
    secret_key: str = field(repr=False)

    def scope(self, at: str) -> str:
        """What a signature of that time (``YYYYMMDDThhmmssZ``) is good for."""
        return f"{at[:8]}/{self.region}/s3/aws4_request"

    def signature(self, at: str, canonical: str) -> str:
        """Signature of a canonical request at that time, hexadecimal."""
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"{ALGORITHM}\n{at}\n{self.scope(at)}\n{digest}"
        key = f"AWS4{self.secret_key}".encode()
        for part in (at[:8], self.region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.digest(key, text.encode(), "sha256").hex()


@dataclass(frozen=True)
class Upload:
    """How a client sends one object: these headers must be sent as they are.

    Attributes:
        url: Where to.
        headers: Size and checksum, which the store compares with what arrives.
        method: Always PUT.
    """

    url: str
    headers: Mapping[str, str]
    method: str = "PUT"


class Signer:
    """Signs links for one endpoint.

    Args:
        endpoint: ``http(s)://host[:port]`` as the link's user reaches the store.
        region: Region in the signature.
        access_key: Key that the store knows.
        secret_key: Its secret.
        now: The present.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        region: str,
        access_key: str,
        secret_key: str,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._host = urlsplit(endpoint).netloc
        self._keys = Keys(region, access_key, secret_key)
        self._now = now

    def get(
        self,
        bucket: str,
        key: str,
        *,
        expires_s: int,
        filename: str | None = None,
        version: str | None = None,
    ) -> str:
        """Link by which an object is read: saved as ``filename``, in that ``version``, where given."""
        query = {"response-content-disposition": _attachment(filename)} if filename else {}
        if version:
            query["versionId"] = version
        return self._sign("GET", bucket, key, expires_s, query, {})

    def put(self, bucket: str, key: str, *, sha256: str, size: int, expires_s: int) -> Upload:
        """Link by which exactly one content is stored.

        Args:
            bucket: Bucket.
            key: Object key.
            sha256: Hex digest of the content.
            size: Its length in bytes.
            expires_s: Seconds for which the upload may begin.
        """
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        headers = {"content-length": str(size), "x-amz-checksum-sha256": checksum}
        return Upload(self._sign("PUT", bucket, key, expires_s, {}, headers), headers)

    def _sign(
        self,
        method: str,
        bucket: str,
        key: str,
        expires_s: int,
        query: Mapping[str, str],
        headers: Mapping[str, str],
    ) -> str:
        if not 0 < expires_s <= MAX_LINK_S:
            raise ValueError(f"a link lives between 1 and {MAX_LINK_S} seconds")
        at = self._now().strftime("%Y%m%dT%H%M%SZ")
        signed = {"host": self._host, **headers}
        query = {
            **query,
            "X-Amz-Algorithm": ALGORITHM,
            "X-Amz-Credential": f"{self._keys.access_key}/{self._keys.scope(at)}",
            "X-Amz-Date": at,
            "X-Amz-Expires": str(expires_s),
            "X-Amz-SignedHeaders": ";".join(sorted(signed)),
        }
        path = "/" + quote(f"{bucket}/{key}", safe="/-_.~")
        canonical = _canonical_request(method, path, query, signed)
        signature = self._keys.signature(at, canonical)
        return f"{self._endpoint}{path}?{query_string(query)}&X-Amz-Signature={signature}"


def _canonical_request(
    method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
) -> str:
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    return "\n".join(
        [method, path, query_string(query), lines, ";".join(sorted(headers)), _UNSIGNED]
    )


def query_string(query: Mapping[str, str]) -> str:
    """The parameters in the order and the escaping that signatures ask for."""
    return "&".join(
        f"{quote(name, safe='-_.~')}={quote(query[name], safe='-_.~')}" for name in sorted(query)
    )


def _attachment(filename: str) -> str:
    plain = "".join(
        char if char.isascii() and (char.isalnum() or char in " ._-") else "_" for char in filename
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
