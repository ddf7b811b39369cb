"""Profiles, made once for each account, and what their owners change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Invalid
from kourse.contracts.events import SettingsChanged, UserDeleted, UserRegistered
from kourse.kit import outbox
from kourse.kit.erasure import erase
from kourse.profile.errors import ProfileChanged, ProfileNotReady
from kourse.profile.repository import people, plans
from kourse.profile.tables import ERASURE, metadata
from kourse.rules.dates import zone_of

RETRY_AFTER_S = 1.0
"""The event that makes a profile usually arrives well within a second."""
MOST_PREFERENCES = 50


async def welcome(tx: AsyncSession, event: UserRegistered) -> None:
    """The new account has a profile."""
    await people.add_profile(tx, event.user_id, event.display_name, event.locale)


async def get(tx: AsyncSession, user_id: UUID) -> Row[Any]:
    """The person's profile.

    Raises:
        ProfileNotReady: It is still on its way.
    """
    return _ready(await people.find_profile(tx, user_id))


def _ready(found: Row[Any] | None) -> Row[Any]:
    if found is None:
        raise ProfileNotReady("Try again in a moment.", retry_after_s=RETRY_AFTER_S)
    return found


async def change(
    tx: AsyncSession, user_id: UUID, values: Mapping[str, Any], *, seen_version: int | None
) -> Row[Any]:
    """The profile with these values; siblings learn of another time zone or language.

    Args:
        tx: The transaction.
        user_id: The person.
        values: Columns to change; ``preferences`` is merged, a None in it removes the entry.
        seen_version: Version that the caller has read, or None for any.

    Raises:
        ProfileNotReady: The profile is still on its way.
        ProfileChanged: It changed since it was read.
        UnknownTimeZone: The time zone is not in the IANA database.
        Invalid: There would be too many preferences.
    """
    found = await _seen(tx, user_id, seen_version)
    if "time_zone" in values:
        zone_of(values["time_zone"])
    wanted = dict(values)
    if "preferences" in wanted:
        wanted["preferences"] = _merged(found.preferences, wanted["preferences"])
    if all(getattr(found, name) == value for name, value in wanted.items()):
        return found
    changed = await people.change_profile(tx, user_id, wanted)
    if (changed.time_zone, changed.locale) != (found.time_zone, found.locale):
        await outbox.emit(
            tx,
            SettingsChanged(learner_id=user_id, time_zone=changed.time_zone, locale=changed.locale),
        )
    return changed


async def _seen(tx: AsyncSession, user_id: UUID, seen_version: int | None) -> Row[Any]:
    found = _ready(await people.find_profile(tx, user_id, lock=True))
    if seen_version is not None and seen_version != found.version:
        raise ProfileChanged(f"It is at version {found.version} now; read it again.")
    return found


async def reset(tx: AsyncSession, user_id: UUID, *, seen_version: int | None) -> None:
    """What the person said of themselves is forgotten; name, language and time zone stay.

    The profile itself goes with the account alone: it is made once, when somebody registers.

    Raises:
        ProfileNotReady: The profile is still on its way.
        ProfileChanged: It changed since it was read.
    """
    await _seen(tx, user_id, seen_version)
    await people.reset_profile(tx, user_id)
    await people.delete_goals(tx, user_id)
    await plans.delete_own(tx, user_id)
    await plans.delete_link(tx, user_id)


def _merged(before: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = {name: value for name, value in {**before, **change}.items() if value is not None}
    if len(merged) > MOST_PREFERENCES:
        raise Invalid(f"At most {MOST_PREFERENCES} preferences are kept.")
    return merged


async def forget(tx: AsyncSession, event: UserDeleted) -> None:
    """What says something of the person is forgotten."""
    await erase(tx, metadata, ERASURE, event.user_id)
