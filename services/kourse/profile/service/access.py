"""Who may do what in a cohort: by a role that their token says, or by their place in it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Forbidden, NotFound
from kourse.contracts.permissions import DENIALS, Permission
from kourse.kit.auth import Actor
from kourse.profile.repository import cohorts, members


async def enter(
    tx: AsyncSession, actor: Actor, name: str, permission: Permission, *, lock: bool = False
) -> Row[Any]:
    """The cohort, when the actor holds the permission there; with ``lock`` nobody else changes it.

    Raises:
        Forbidden: They hold it nowhere, or are a member whose place does not allow it.
        NotFound: They hold it for other cohorts; so of this one they learn nothing.
    """
    row = await cohorts.find_cohort(tx, name, lock=lock)
    if row is not None and actor.holds(permission, cohort=name):
        return row
    place = None if row is None else await members.place_of(tx, row.id, actor.user_id)
    if row is not None and place is not None and actor.holds_at(place, permission):
        return row
    if place is not None or not actor.holds_somewhere(permission):
        raise Forbidden(DENIALS[permission])
    raise NotFound(f"There is no cohort {name!r} here.")
