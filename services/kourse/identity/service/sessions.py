"""Log-in, refresh and log-out of people, and tokens for services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound, Unavailable
from kourse.contracts.events import SessionCompromised, UserLocked
from kourse.identity.domain import tokens
from kourse.identity.domain.accounts import Account, Assignment, MembershipStatus, standing
from kourse.identity.domain.tokens import Session
from kourse.identity.errors import (
    EmailNotVerified,
    InvalidCredentials,
    NotAMember,
    RefreshRejected,
)
from kourse.identity.repository import accounts, audit, families, memberships
from kourse.identity.service import confirming
from kourse.identity.service.confirming import Confirmation
from kourse.identity.service.house import House
from kourse.kit import clock
from kourse.kit.auth import USER_AUDIENCE, Actor
from kourse.kit.outbox import emit


@dataclass(frozen=True)
class Issued:
    """Fresh tokens.

    Attributes:
        lifetime: How long the access token is good for.
        refresh_token: Exchanged once for the next pair; empty for services.
    """

    access_token: str
    lifetime: timedelta
    refresh_token: str = ""


@dataclass(frozen=True)
class LogIn:
    """Somebody wants in.

    Attributes:
        email: Normalised address.
        presented: Password, and what stands for the second factor.
        client: What the client says of itself.
    """

    email: str
    presented: Confirmation
    client: str


async def log_in(house: House, tenant: str, command: LogIn) -> Issued:
    """Tokens of a new session in the tenant.

    Raises:
        InvalidCredentials: Whatever is wrong with address, password and code, or locked.
        FactorRequired: The password is right, and the account asks for a code too.
        EmailNotVerified: They are right, but the address is not verified.
        NotAMember: They are right, but the account is no active member of the tenant.
    """
    check = await confirming.check(house, command.email, command.presented)
    async with house.database.transaction(tenant) as tx:
        account = await accounts.find_account_by_email(tx, command.email)
        refusal = confirming.refusal_of(check.outcome) or await refusal_of(house, tx, account)
        target = account.id if account else ""
        if account and check.locked_until:
            await _tell_of_lock(tx, account, check.locked_until)
        if refusal is not None or account is None:
            reason = {"reason": (refusal or InvalidCredentials()).code}
            await audit.record(tx, "auth.login", target=target, outcome="refused", detail=reason)
        else:
            assignments = await memberships.list_assignments(tx, account.id)
            session, refresh_token = await house.families.open(account.id, tenant, command.client)
            await audit.record(tx, "auth.login", actor=account.id, target=session.id)
    if refusal is not None or account is None:
        raise refusal or InvalidCredentials
    return _issued(house, session, assignments, refresh_token)


async def admit(house: House, tenant: str, account_id: UUID, client: str) -> tuple[Session, Issued]:
    """A new session of somebody who showed elsewhere who they are, and its tokens.

    Raises:
        InvalidCredentials: The account is disabled, or gone.
        EmailNotVerified: Nobody has shown yet that its address is theirs.
        NotAMember: It is no active member of the tenant.
    """
    async with house.database.transaction(tenant) as tx:
        account = await accounts.find_account(tx, account_id)
        refusal = await refusal_of(house, tx, account)
        if refusal is not None:
            await audit.record(tx, "auth.sign-on", target=account_id, outcome="refused")
        else:
            assignments = await memberships.list_assignments(tx, account_id)
            session, refresh_token = await house.families.open(account_id, tenant, client)
            await audit.record(tx, "auth.sign-on", actor=account_id, target=session.id)
    if refusal is not None:
        raise refusal
    return session, _issued(house, session, assignments, refresh_token)


async def refusal_of(
    house: House, tx: AsyncSession, account: Account | None
) -> InvalidCredentials | EmailNotVerified | NotAMember | None:
    """Why somebody who has shown who they are does not get into the transaction's tenant, or None."""
    if account is None or account.is_disabled:
        return InvalidCredentials()
    if house.settings.require_verified_email and not account.is_verified:
        return EmailNotVerified()
    status = await memberships.find_status(tx, account.id)
    return None if status is MembershipStatus.ACTIVE else NotAMember()


async def refresh(house: House, token: str, client: str) -> Issued:
    """The next pair of tokens of a session, with the roles held now.

    Raises:
        RefreshRejected: Unknown, expired, revoked or used before; the last ends the session.
    """
    session = await house.families.find(token)
    if session is None:
        raise RefreshRejected
    assignments = await _still_held(house, session)
    if assignments is None:
        await house.families.end(session.id)
        await _record_refusal(house, session)
        raise RefreshRejected
    rotation = await house.families.rotate(token, client)
    if rotation.outcome is families.Outcome.STOLEN:
        await _record_theft(house, session)
    if not rotation.token:
        raise RefreshRejected
    return _issued(house, session, assignments, rotation.token)


async def _still_held(house: House, session: Session) -> list[Assignment] | None:
    """Role assignments of the session's holder; None when they may not be in any more."""
    async with house.database.transaction(session.tenant) as tx:
        account = await accounts.find_account(tx, session.user_id)
        if await refusal_of(house, tx, account) is not None:
            return None
        return await memberships.list_assignments(tx, session.user_id)


async def log_out(house: House, tenant: str, user_id: UUID, session_id: str) -> None:
    """The session is over: its refresh tokens and its access tokens are refused."""
    await house.families.end(session_id)
    await _end_at_issuer(house, session_id)
    await _record(house, tenant, "auth.logout", Session(session_id, user_id, tenant))


async def _end_at_issuer(house: House, session_id: str) -> None:
    """The log-in that the session came of is over too; while the issuer is down, it is left for later."""
    theirs = await house.sign_ons.unlink(session_id)
    if theirs and house.issuer is not None:
        try:
            await house.issuer.end_session(theirs)
        except Unavailable:
            await house.sign_ons.leave(theirs)


async def end_session(house: House, actor: Actor, session_id: str) -> None:
    """One of the actor's sessions is over.

    Raises:
        NotFound: They have no such session.
    """
    if await house.families.owner(session_id) != actor.user_id:
        raise NotFound("There is no such session.")
    await log_out(house, actor.tenant, actor.user_id, session_id)


async def log_out_everywhere(house: House, actor: Actor) -> None:
    """Every session of the actor is over, in every tenant, and every access token issued before."""
    ended = await house.families.list_open(actor.user_id)
    await house.families.end_all(actor.user_id)
    await house.families.outdate(actor.user_id, before=clock.now())
    for one in ended:
        await _end_at_issuer(house, one.id)
    here = Session(actor.session_id, actor.user_id, actor.tenant)
    await _record(house, actor.tenant, "auth.logout-everywhere", here)


def service_token(house: House, client_id: str, secret: str, audience: str) -> Issued:
    """An access token with which one service calls another.

    Raises:
        ClientRejected: Unknown client or wrong secret.
        AudienceRefused: The client may not call that audience.
    """
    house.clients.ensure_allowed(client_id, secret, audience)
    issuer = house.settings.token_issuer
    claims = tokens.service_claims(client_id, issuer=issuer, audience=audience)
    return issue(house, claims)


def issue(house: House, claims: dict[str, Any]) -> Issued:
    """An access token with these claims, its id and its times; without a refresh token."""
    return Issued(_signed(house, claims), house.settings.access_token_lifetime)


def _issued(
    house: House, session: Session, assignments: list[Assignment], refresh_token: str
) -> Issued:
    claims = tokens.person_claims(
        session,
        standing(assignments, clock.now()),
        issuer=house.settings.token_issuer,
        audience=USER_AUDIENCE,
    )
    return Issued(_signed(house, claims), house.settings.access_token_lifetime, refresh_token)


def _signed(house: House, claims: dict[str, Any]) -> str:
    return house.keys.sign(claims | tokens.times(clock.now(), house.settings.access_token_lifetime))


async def _tell_of_lock(tx: AsyncSession, account: Account, until: datetime) -> None:
    await audit.record(tx, "auth.lock", target=account.id)
    if await memberships.find_status(tx, account.id) is not None:
        await emit(tx, UserLocked(user_id=account.id, until=until))


async def _record_refusal(house: House, session: Session) -> None:
    async with house.database.transaction(session.tenant) as tx:
        await audit.record(
            tx, "auth.refresh", actor=session.user_id, target=session.id, outcome="refused"
        )


async def _record_theft(house: House, session: Session) -> None:
    async with house.database.transaction(session.tenant) as tx:
        await audit.record(
            tx, "auth.refresh-reused", actor=session.user_id, target=session.id, outcome="refused"
        )
        await emit(tx, SessionCompromised(user_id=session.user_id))


async def _record(house: House, tenant: str, action: str, session: Session) -> None:
    async with house.database.transaction(tenant) as tx:
        await audit.record(tx, action, actor=session.user_id, target=session.id)
