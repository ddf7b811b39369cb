"""Where a page of a list that is newest first goes on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from kourse.contracts.errors import Malformed
from kourse.kit.http import Cursor


def position(cursor: str | None) -> tuple[datetime, UUID] | None:
    """Time and id of the last entry of the page before; None for the first page.

    Raises:
        Malformed: It is no cursor of such a list.
    """
    key = Cursor.decode(cursor, 2)
    try:
        return None if key is None else (datetime.fromisoformat(key[0]), UUID(key[1]))
    except (ValueError, TypeError, AttributeError):
        raise Malformed("`after` is not a cursor of this list.") from None
