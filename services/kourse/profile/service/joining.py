"""Joining a cohort by its code: quick for those who have it, hopeless for those who guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import TooManyRequests
from kourse.contracts.events import GroupJoined, InvitationAccepted
from kourse.contracts.permissions import Role
from kourse.kit import outbox
from kourse.kit.auth import Actor
from kourse.kit.clock import database_now
from kourse.kit.runtime import Runtime
from kourse.kit.telemetry import get_logger
from kourse.profile.domain import codes
from kourse.profile.errors import CodeUnknown, CohortFull, RunOver
from kourse.profile.repository import cohorts, members
from kourse.rules.dates import zone_of

log = get_logger(__name__)


@dataclass(frozen=True)
class Guesses:
    """Wrong codes that a person may send within a while.

    Attributes:
        cache: Where they are counted.
        most: How many.
        window_s: Length of the while in seconds.
    """

    cache: Redis
    most: int
    window_s: int

    async def reserve(self, tenant: str, user_id: UUID) -> None:
        """Counts a code as wrong before it is looked at, so that parallel guesses count too.

        While the cache is down nothing is counted: a code has 50 random bits, and the gateway limits
        requests as well.

        Raises:
            TooManyRequests: Too many were wrong lately.
        """
        key = _key(tenant, user_id)
        try:
            pipeline = self.cache.pipeline(transaction=True)
            pipeline.set(key, 0, ex=self.window_s, nx=True)
            pipeline.incr(key)
            pipeline.ttl(key)
            _, count, left_s = await pipeline.execute()
        except (RedisError, OSError) as error:
            log.warning("join.guesses_uncounted", reason=type(error).__name__)
            return
        if count > self.most:
            raise TooManyRequests(
                "Too many wrong codes; ask your teacher for the right one.",
                retry_after_s=max(1, left_s),
            )

    async def forgive(self, tenant: str, user_id: UUID) -> None:
        """The code was right, or nobody looked whether it was."""
        try:
            await self.cache.decr(_key(tenant, user_id))
        except (RedisError, OSError) as error:
            log.warning("join.guesses_uncounted", reason=type(error).__name__)


def _key(tenant: str, user_id: UUID) -> str:
    return f"{tenant}:profile:join-guesses:{user_id}"


async def join(runtime: Runtime, actor: Actor, typed: str) -> Row[Any]:
    """The cohort whose member the person now is; joining again changes nothing.

    Raises:
        TooManyRequests: Too many codes were wrong lately.
        CodeUnknown: No cohort lets anybody in with this code, or no longer.
        RunOver: The run of the cohort has ended.
        CohortFull: Every seat is taken.
    """
    settings = runtime.settings
    window_s = int(settings.guess_window.total_seconds())
    guesses = Guesses(runtime.cache, settings.guesses, window_s)
    await guesses.reserve(actor.tenant, actor.user_id)
    is_wrong = False
    try:
        async with runtime.database.transaction(actor.tenant) as tx:
            cohort = await members.find_by_code(tx, codes.digest_of(typed))
            if cohort is None:
                is_wrong = True
                raise CodeUnknown("Look at the code again, or ask your teacher for a new one.")
            await _admit(tx, cohort, actor.user_id)
    finally:
        if not is_wrong:  # nor is a full cohort or an outage a guess
            await guesses.forgive(actor.tenant, actor.user_id)
    return cohort


async def join_invited(tx: AsyncSession, event: InvitationAccepted) -> None:
    """A learner who was invited to a cohort is its member, as far as it still takes anybody."""
    if event.cohort is None or event.role != Role.LEARNER:
        return
    cohort = await cohorts.find_cohort(tx, event.cohort)
    if cohort is None:
        log.warning("invitation.no_cohort", cohort=event.cohort)
        return
    try:
        await _admit(tx, cohort, event.user_id)
    except (RunOver, CohortFull) as refusal:
        log.warning("invitation.not_joined", cohort=event.cohort, reason=refusal.code)


async def _admit(tx: AsyncSession, cohort: Row[Any], user_id: UUID) -> None:
    if await members.is_member(tx, cohort.id, user_id):
        return
    today = (await database_now(tx)).astimezone(zone_of(cohort.time_zone)).date()
    if today > cohort.ends_on:
        raise RunOver(f"It ended on {cohort.ends_on.isoformat()}.")
    if not await members.take_seat(tx, cohort.id, cohort.seats):
        raise CohortFull(f"All {cohort.seats} seats of {cohort.title!r} are taken.")
    if not await members.add_member(tx, cohort.id, user_id):
        await members.give_seat_back(tx, cohort.id)
        return
    await outbox.emit(
        tx,
        GroupJoined(
            cohort_id=cohort.id, cohort=cohort.name, learner_id=user_id, courses=cohort.courses
        ),
    )
