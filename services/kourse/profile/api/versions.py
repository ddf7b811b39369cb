"""ETags of things that count their versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

from kourse.contracts.errors import Malformed

IfMatch = Annotated[str | None, Header(description="ETag that was read.")]
"""``if_match: IfMatch = None``; read it with ``version_of``."""


def etag_of(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'


def version_of(etag: str | None) -> int | None:
    """The version that an ETag names; None for any.

    Raises:
        Malformed: It is no ETag of ours.
    """
    if etag is None or etag == "*":
        return None
    number = etag.removeprefix("W/").strip('"')
    if not number.isdigit():
        raise Malformed("If-Match is not an ETag of this.")
    return int(number)
