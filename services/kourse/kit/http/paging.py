"""Lists by keyset: a page and an opaque cursor to the next, equally fast at any depth."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Query

from kourse.contracts.errors import Malformed
from kourse.kit.http.models import View

T = TypeVar("T")
MAX_LIMIT = 100
MAX_CURSOR_CHARS = 512

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items in the answer.")]
"""``limit: Limit = 20``."""
After = Annotated[
    str | None,
    Query(
        max_length=MAX_CURSOR_CHARS, description="`next` of the page before; none for the first."
    ),
]
"""``after: After = None``; decode it with ``Cursor.decode``."""


class Page(View, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = None
    """Cursor of the next page, or null at the end."""


class Cursor:
    """The sort key of a page's last item, as text that clients pass back unread."""

    @staticmethod
    def encode(*key: Any) -> str:
        """Cursor of an item; strings, numbers, UUIDs and times come back as text or numbers."""
        return base64.urlsafe_b64encode(orjson.dumps(key)).rstrip(b"=").decode()

    @staticmethod
    def decode(cursor: str | None, length: int) -> list[Any] | None:
        """The key again, or None for the first page.

        Args:
            cursor: What the client sent.
            length: Number of parts that the key must have.

        Raises:
            Malformed: It is no cursor of this list.
        """
        if cursor is None:
            return None
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            key = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, binascii.Error):
            key = None
        if not isinstance(key, list) or len(key) != length or any(map(_is_unfit, key)):
            raise Malformed("`after` is not a cursor of this list.")
        return key

    @staticmethod
    def page(items: Sequence[T], limit: int, *, key: Any) -> tuple[list[T], str | None]:
        """The items of a page and its ``next``, from a query for ``limit + 1`` items.

        Args:
            items: At most ``limit + 1`` items, in order.
            limit: Items wanted.
            key: Gives the tuple by which an item is sorted.
        """
        shown = list(items[:limit])
        more = len(items) > limit
        return shown, Cursor.encode(*key(shown[-1])) if more and shown else None


def _is_unfit(part: Any) -> bool:
    return isinstance(part, list | dict) or (isinstance(part, str) and "\x00" in part)
