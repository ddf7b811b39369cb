"""Joining a cohort by code: who may read the code, who gets in, and how often one may guess."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound, TooManyRequests
from kourse.contracts.events import GroupJoined
from kourse.contracts.permissions import Permission
from kourse.kit import outbox
from kourse.kit.auth import Actor
from kourse.kit.clock import database_now
from kourse.kit.runtime import Runtime
from kourse.profile.domain.codes import digest_of, make_code
from kourse.profile.errors import CodeUnknown, CohortClosed, CohortFull, RunOver
from kourse.profile.repository import cohorts, joining
from kourse.rules.dates import zone_of


async def join(runtime: Runtime, actor: Actor, code: str) -> Row[Any]:
    """The cohort that the person is a member of from now on; joining again changes nothing.

    Raises:
        CodeUnknown: The code opens no cohort.
        CohortClosed: The cohort takes nobody by code any more.
        RunOver: The run has ended.
        CohortFull: Every seat is taken.
        TooManyRequests: Too many wrong codes.
    """
    await _require_guesses(runtime, actor)
    async with runtime.database.transaction(actor.tenant) as tx:
        cohort = await joining.find_by_code(tx, digest_of(code))
        if cohort is not None and cohort.retired_at is None:
            await _admit(tx, cohort, actor.user_id)
            return cohort
    await _count_guess(runtime, actor)
    raise CodeUnknown("Ask for the code again; codes are renewed from time to time.")


async def _admit(tx: AsyncSession, cohort: Row[Any], user_id: UUID) -> None:
    if await joining.is_member(tx, cohort.id, user_id):
        return
    if cohort.join_policy != "Code":
        raise CohortClosed
    zone = zone_of(cohort.time_zone)
    if (await database_now(tx)).astimezone(zone).date() > cohort.ends_on:
        raise RunOver
    if not await joining.take_seat(tx, cohort.id, cohort.seats):
        raise CohortFull
    if await joining.add_member(tx, cohort.id, user_id):
        joined = GroupJoined(
            cohort_id=cohort.id, cohort=cohort.name, learner_id=user_id, courses=cohort.courses
        )
        await outbox.emit(tx, joined)


async def _require_guesses(runtime: Runtime, actor: Actor) -> None:
    """A cache that is down lets people in: fifty random bits are the real guard."""
    settings = runtime.settings
    with suppress(RedisError):
        wrong = int(await runtime.cache.get(_guesses_key(actor)) or 0)
        if wrong >= settings.guesses:
            wait_s = await runtime.cache.ttl(_guesses_key(actor))
            raise TooManyRequests("Too many wrong codes.", retry_after_s=max(wait_s, 1))


async def _count_guess(runtime: Runtime, actor: Actor) -> None:
    with suppress(RedisError):
        await runtime.cache.set(_guesses_key(actor), 0, ex=runtime.settings.guess_window, nx=True)
        await runtime.cache.incr(_guesses_key(actor))


def _guesses_key(actor: Actor) -> str:
    return f"profile:{actor.tenant}:guesses:{actor.user_id}"


async def read_code(tx: AsyncSession, actor: Actor, name: str) -> Row[Any]:
    """The cohort's code; a new one where there is none or it has expired.

    Raises:
        NotFound: There is no such cohort, or it is not the actor's.
        CohortClosed: The cohort takes nobody by code.
    """
    cohort = await _taught(tx, actor, name)
    return await joining.find_code(tx, cohort.id) or await _new_code(tx, cohort)


async def rotate_code(tx: AsyncSession, actor: Actor, name: str) -> Row[Any]:
    """A new code; the one before opens nothing any more.

    Raises:
        NotFound: There is no such cohort, or it is not the actor's.
        CohortClosed: The cohort takes nobody by code.
    """
    return await _new_code(tx, await _taught(tx, actor, name))


async def _taught(tx: AsyncSession, actor: Actor, name: str) -> Row[Any]:
    found = await cohorts.find_cohort(tx, name, lock=True)
    if found is None or not actor.holds(Permission.COHORT_CODE, cohort=name):
        raise NotFound(f"There is no cohort {name!r} here.")
    if found.join_policy != "Code" or found.retired_at is not None:
        raise CohortClosed
    return found


async def _new_code(tx: AsyncSession, cohort: Row[Any]) -> Row[Any]:
    code = make_code(secrets.randbelow)
    valid = timedelta(days=cohort.code_valid_days)
    return await joining.save_code(tx, cohort.id, code, digest_of(code), valid)


async def list_cohorts(
    tx: AsyncSession, actor: Actor, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Cohorts by name: a teacher of the tenant sees all, others their own and those they teach."""
    everything = Permission.COHORT_READ in actor.permissions
    scoped = None if everything else actor.scope_names(Permission.COHORT_READ, "cohort")
    return await joining.list_visible(tx, actor.user_id, scoped, after, limit)


async def read_cohort(tx: AsyncSession, actor: Actor, name: str) -> Row[Any]:
    """One cohort that the actor is in or teaches.

    Raises:
        NotFound: There is none, or the actor may not know of it.
    """
    found = await cohorts.find_cohort(tx, name)
    if found is not None and (
        actor.holds(Permission.COHORT_READ, cohort=name)
        or await joining.is_member(tx, found.id, actor.user_id)
    ):
        return found
    raise NotFound(f"There is no cohort {name!r} here.")


async def list_members(
    tx: AsyncSession, actor: Actor, name: str, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """Members of a cohort that the actor teaches.

    Raises:
        NotFound: There is none, or the actor does not teach it.
    """
    found = await cohorts.find_cohort(tx, name)
    if found is None or not actor.holds(Permission.COHORT_READ, cohort=name):
        raise NotFound(f"There is no cohort {name!r} here.")
    return await joining.list_members(tx, found.id, after, limit)
