"""What a plan needs of profile beside the code that applies: what becomes of a cohort's members."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import ContentPublished, Event
from kourse.contracts.plans import Effect, PeopleEffect
from kourse.kit.planning import Effects, Key, Owner, Rules
from kourse.profile.repository import cohorts
from kourse.profile.service import declaring


@dataclass(frozen=True)
class _Standing:
    """A cohort with its courses, its seats and how many members it has."""

    courses: frozenset[str] = frozenset()
    seats: int | None = None
    members: int = 0


def owner() -> Owner:
    """Profile in a plan."""
    return Owner(
        kinds={declaring.KIND: Rules(declaring.apply)},
        facts={ContentPublished: declaring.keep_course},
        people=_people,
    )


async def _people(
    tx: AsyncSession,
    changed: Collection[Key],
    facts: Sequence[Event],  # noqa: ARG001 - members hear of courses only
) -> Callable[[], Awaitable[Effects]]:
    before = {name: await _standing(tx, name) for _, name in sorted(changed)}

    async def effects() -> Effects:
        return {
            (declaring.KIND, name): found
            for name, then in before.items()
            if (found := _effects(then, await _standing(tx, name)))
        }

    return effects


async def _standing(tx: AsyncSession, name: str) -> _Standing:
    row = await cohorts.find_cohort(tx, name)
    if row is None:
        return _Standing()
    members = await cohorts.count_members(tx, [row.id])
    return _Standing(frozenset(row.courses), row.seats, members.get(row.id, 0))


def _effects(before: _Standing, after: _Standing) -> list[PeopleEffect]:
    """Nobody loses a place: leaving a course out, or taking seats away, stops newcomers only."""
    count = after.members
    if not count:
        return []
    who = "1 member keeps" if count == 1 else f"{count} members keep"
    found = [
        PeopleEffect(
            effect=Effect.KEEP_ENROLMENT, count=count, sentence=f"{who} their place in {course}"
        )
        for course in sorted(before.courses - after.courses)
    ]
    if after.seats is not None and after.seats < count and after.seats != before.seats:
        text = f"{who} their place although only {after.seats} would be given"
        found.append(PeopleEffect(effect=Effect.KEEP_ENROLMENT, count=count, sentence=text))
    return found
