"""What siblings may read of people and groups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.profile.repository import cohorts, members, people
from kourse.profile.service.goals import MOST_GOALS


async def profiles(tx: AsyncSession, learners: Sequence[UUID]) -> Sequence[Row[Any]]:
    """Profiles of these learners; those without one are left out."""
    return await people.list_profiles(tx, learners)


async def goals(tx: AsyncSession, learner: UUID) -> Sequence[Row[Any]]:
    """A learner's goals, nearest target date first."""
    return await people.list_goals(tx, learner, None, MOST_GOALS)


async def goals_of(tx: AsyncSession, learners: Collection[UUID]) -> dict[UUID, list[Row[Any]]]:
    """Goals by learner, each one's nearest target date first; those without any are left out."""
    found: dict[UUID, list[Row[Any]]] = {}
    for row in await people.list_goals_of(tx, learners):
        found.setdefault(row.user_id, []).append(row)
    return found


async def members_of(tx: AsyncSession, names: Collection[str]) -> dict[str, list[Row[Any]]]:
    """Members by cohort, in the order in which they joined; unknown cohorts are left out."""
    known = {row.id: row.name for row in await cohorts.list_named(tx, list(names))}
    found: dict[str, list[Row[Any]]] = {name: [] for name in sorted(known.values())}
    for row in await members.list_members_of(tx, known):
        found[known[row.cohort_id]].append(row)
    return found


async def cohort_members(tx: AsyncSession, cohort: str) -> Sequence[Row[Any]]:
    """Members of a cohort.

    Raises:
        NotFound: There is no such cohort.
    """
    found = await cohorts.find_cohort(tx, cohort)
    if found is None:
        raise NotFound(f"There is no cohort {cohort!r} here.")
    return await members.list_members(tx, found.id, None, None)
