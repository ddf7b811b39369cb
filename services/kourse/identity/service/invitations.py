"""Asking people in by mail: who may, how often, and the end of an invitation that nobody accepts.

Nothing here looks at whether an address has an account, so nobody learns it from an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound, TooManyRequests
from kourse.contracts.events import InvitationCreated
from kourse.contracts.permissions import DENIALS, Permission
from kourse.identity import policies
from kourse.identity.domain.accounts import Assignment
from kourse.identity.errors import InvitationClosed, TooMany
from kourse.identity.repository import audit
from kourse.identity.repository import invitations as rows
from kourse.identity.repository.invitations import Invitation, State
from kourse.identity.repository.one_time_tokens import Purpose
from kourse.identity.service.house import House
from kourse.kit import clock
from kourse.kit.auth import Actor
from kourse.kit.ids import new_id
from kourse.kit.outbox import emit

MOST_OPEN = 2000
"""Invitations of one tenant that wait to be accepted."""
MAILS_A_DAY = 500
"""Invitations that one person may have mailed in a day."""
MAILS_AN_HOUR = 3
"""Times that one invitation may be mailed again in an hour."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True)
class Invite:
    """Whom somebody asks in.

    Attributes:
        emails: Normalised addresses, each once.
        assignment: The role that they are to hold.
        locale: BCP 47 tag of the language to write to them.
        lifetime: After which nobody can accept any more.
    """

    emails: Sequence[str]
    assignment: Assignment
    locale: str
    lifetime: timedelta


async def invite(house: House, actor: Actor, command: Invite) -> list[Invitation]:
    """An open invitation for each address, in their order; one that was there already is not mailed again.

    Raises:
        Forbidden: The actor may not invite there, or does not hold what the role allows.
        TooMany: The tenant has as many open invitations as it may have.
        TooManyRequests: The actor had as many mailed today as they may.
    """
    one = command.assignment
    policies.ensure(_may_manage(actor, one))
    policies.ensure(policies.may_grant(actor, [one]))
    async with house.database.transaction(actor.tenant) as tx:
        await rows.forget_old(tx)
        if await rows.count_open(tx) + len(command.emails) > MOST_OPEN:
            raise TooMany("Revoke invitations that nobody will accept before you send others.")
        return [await _invite(house, tx, actor, email, command) for email in command.emails]


async def _invite(
    house: House, tx: AsyncSession, actor: Actor, email: str, command: Invite
) -> Invitation:
    found = await rows.find_open(tx, email, command.assignment)
    if found is not None:
        return found
    await _count_mail(house, actor)
    made = await rows.add_invitation(
        tx,
        invitation_id=new_id(),
        email=email,
        assignment=command.assignment,
        locale=command.locale,
        invited_by=actor.user_id,
        delivery_id=new_id(),
        expires_at=clock.now() + command.lifetime,
    )
    await _mail(tx, made.id, made.delivery_id, made.locale)
    await _record(tx, actor, "create", made)
    return made


async def list_invitations(
    tx: AsyncSession, actor: Actor, *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Invitation]:
    """A page of the invitations that the actor may manage, newest first."""
    needed = Permission.INVITATION_MANAGE
    is_everywhere = needed in actor.permissions
    return await rows.list_invitations(
        tx,
        courses=None if is_everywhere else actor.scope_names(needed, "course"),
        cohorts=actor.scope_names(needed, "cohort"),
        after=after,
        limit=limit,
    )


async def resend(house: House, actor: Actor, invitation_id: UUID, lifetime: timedelta) -> None:
    """The invitation is mailed with another link and good for that long from now; the former link is dead.

    Raises:
        NotFound: There is none that the actor may manage.
        InvitationClosed: It was accepted or revoked.
        TooManyRequests: It was mailed too often lately, or the actor had too many mailed.
    """
    async with house.database.transaction(actor.tenant) as tx:
        found = await _managed(tx, actor, invitation_id)
        if found.state not in {State.OPEN, State.EXPIRED}:
            raise InvitationClosed
        policies.ensure(policies.may_grant(actor, [found.assignment]))
        await _count_mail(house, actor)
        if not await house.limits.allows(
            "invitation", str(invitation_id), most=MAILS_AN_HOUR, period=HOUR
        ):
            raise TooManyRequests("This was mailed a moment ago.", retry_after_s=HOUR.seconds)
        delivery_id = new_id()
        await rows.renew(
            tx, invitation_id, delivery_id=delivery_id, expires_at=clock.now() + lifetime
        )
        await house.one_time_tokens.drop(Purpose.INVITATION, invitation_id)
        await _mail(tx, invitation_id, delivery_id, found.locale)
        await _record(tx, actor, "resend", found)


async def revoke(house: House, actor: Actor, invitation_id: UUID) -> None:
    """Nobody can accept the invitation; a repeat changes nothing.

    Raises:
        NotFound: There is none that the actor may manage.
        InvitationClosed: It was accepted.
    """
    async with house.database.transaction(actor.tenant) as tx:
        found = await _managed(tx, actor, invitation_id)
        if found.state is State.ACCEPTED:
            raise InvitationClosed
        if found.state is not State.REVOKED:
            await rows.revoke(tx, invitation_id)
            await _record(tx, actor, "revoke", found)
    await house.one_time_tokens.drop(Purpose.INVITATION, invitation_id)


async def _managed(tx: AsyncSession, actor: Actor, invitation_id: UUID) -> Invitation:
    found = await rows.find_invitation(tx, invitation_id)
    if found is None or _may_manage(actor, found.assignment) is not True:
        raise NotFound("There is no such invitation.")
    return found


def _may_manage(actor: Actor, one: Assignment) -> policies.Answer:
    needed = Permission.INVITATION_MANAGE
    return actor.holds(needed, course=one.course, cohort=one.cohort) or DENIALS[needed]


async def _count_mail(house: House, actor: Actor) -> None:
    asker = f"{actor.tenant}/{actor.user_id}"
    if not await house.limits.allows("invitations", asker, most=MAILS_A_DAY, period=DAY):
        raise TooManyRequests("You sent many invitations today.", retry_after_s=HOUR.seconds)


async def _mail(tx: AsyncSession, invitation_id: UUID, delivery_id: UUID, locale: str) -> None:
    event = InvitationCreated(invitation_id=invitation_id, delivery_id=delivery_id, locale=locale)
    await emit(tx, event)


async def _record(tx: AsyncSession, actor: Actor, act: str, one: Invitation) -> None:
    await audit.record(
        tx,
        f"invitation.{act}",
        actor=actor.user_id,
        target=one.id,
        detail={"role": one.assignment.spelled},
    )
