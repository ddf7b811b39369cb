"""ETags of declared documents: what a caller has read, and that nobody changed it since."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Header

from kourse.contracts.errors import Malformed

IfMatch = Annotated[
    str | None,
    Header(description="ETag of the document that was read.", examples=[f'"{"9f86d081" * 8}"']),
]
"""``if_match: IfMatch = None``; read it with ``digest_of``."""
_ETAG = re.compile(r'(?:W/)?"([0-9a-f]{64})"')


def etag_of(digest: str) -> str:
    """The ETag of a document."""
    return f'"{digest}"'


def digest_of(etag: str | None) -> str | None:
    """Digest of the document that an ETag names; None for any.

    Raises:
        Malformed: It is no ETag of ours.
    """
    if etag is None or etag == "*":
        return None
    found = _ETAG.fullmatch(etag)
    if found is None:
        raise Malformed("If-Match is not an ETag of this document.")
    return found[1]
