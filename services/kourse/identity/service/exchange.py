"""Programs get short access tokens for the secrets that they were given; nothing else is accepted elsewhere.

What comes out is an access token like any other, with the permissions beyond which its roles allow nothing.
There is no refresh token: a program shows its secret again, and so loses access when it should. Tokens are
signed before the transaction ends, so that whoever changes the rights behind one changes them afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.permissions import HOLDERS_ALONE, PERSONAL, Permission
from kourse.identity.domain import program_secrets, programs, tokens
from kourse.identity.domain.accounts import Standing, standing
from kourse.identity.domain.program_secrets import Kind
from kourse.identity.domain.tokens import Session
from kourse.identity.errors import ClientRejected, TokenRejected
from kourse.identity.repository import (
    accounts,
    audit,
    memberships,
    personal_tokens,
    service_accounts,
)
from kourse.identity.repository.personal_tokens import PersonalToken
from kourse.identity.service import sessions
from kourse.identity.service.house import House
from kourse.identity.service.sessions import Issued
from kourse.kit import clock
from kourse.kit.auth import USER_AUDIENCE


@dataclass(frozen=True)
class Access:
    """An access token for a program, and all that it allows."""

    issued: Issued
    permissions: frozenset[Permission]


@dataclass(frozen=True)
class _Program:
    """What is to be signed: whose secret it is, the roles behind it now, and what it was made for."""

    session: Session
    standing: Standing
    limit: frozenset[Permission]
    client: str | None = None


async def for_personal_token(
    house: House, host: str | None, secret: str, wanted: frozenset[Permission] | None
) -> Access:
    """An access token for a personal one, with what its holder may at this moment.

    Args:
        house: Identity's stores and keys.
        host: Tenant that the host names; a token of another one is refused.
        secret: The personal token.
        wanted: Permissions to keep to; None for all that it allows.

    Raises:
        TokenRejected: Unknown, expired, revoked, of another tenant, or its holder may not be in.
    """
    if not program_secrets.is_genuine(Kind.PERSONAL_TOKEN, secret):
        raise TokenRejected
    async with house.database.transaction(None) as tx:
        shown = await personal_tokens.find_shown(tx, tokens.digest(secret))
        program = None
        if shown is not None:
            await memberships.enter(tx, shown.tenant)
            is_here = host in {None, shown.tenant}
            program = await _person_behind(house, tx, shown) if is_here else None
            await _record(tx, shown.account_id, shown.id, program)
        if program is not None:
            await personal_tokens.mark_used(tx, UUID(program.session.id))
            return _access(house, program, wanted)
    raise TokenRejected


async def _person_behind(house: House, tx: AsyncSession, shown: PersonalToken) -> _Program | None:
    account = await accounts.find_account(tx, shown.account_id)
    is_barred = await sessions.refusal_of(house, tx, account) is not None
    if is_barred or shown.expires_at <= clock.now():
        return None
    held = await memberships.list_assignments(tx, shown.account_id)
    return _Program(
        Session(str(shown.id), shown.account_id, shown.tenant),
        standing(programs.narrowed(held, shown.scope), clock.now()),
        shown.permissions - HOLDERS_ALONE,
    )


async def for_service_account(
    house: House,
    host: str | None,
    client_id: str,
    secret: str,
    wanted: frozenset[Permission] | None,
) -> Access:
    """An access token of a service account (RFC 6749 section 4.4), as ``for_personal_token``.

    Raises:
        ClientRejected: The secret is unknown, expired, deleted or another's, or the account is disabled.
    """
    if not program_secrets.is_genuine(Kind.SERVICE_ACCOUNT, secret):
        raise ClientRejected
    async with house.database.transaction(None) as tx:
        shown = await service_accounts.find_shown(tx, tokens.digest(secret))
        program = None
        if shown is not None:
            await memberships.enter(tx, shown.tenant)
            is_good = shown.expires_at > clock.now() and str(shown.account_id) == client_id
            if is_good and host in {None, shown.tenant}:
                program = await _service_account(tx, shown.account_id, shown.id)
            await _record(tx, shown.account_id, shown.id, program)
        if program is not None:
            await service_accounts.mark_used(tx, UUID(program.session.id))
            return _access(house, program, wanted)
    raise ClientRejected


async def _service_account(tx: AsyncSession, account_id: UUID, secret_id: UUID) -> _Program | None:
    account = await service_accounts.get_account(tx, account_id, change=False)
    if account.is_disabled:
        return None
    limit = frozenset(Permission) if account.permissions is None else account.permissions
    return _Program(
        Session(str(secret_id), account_id, account.tenant),
        standing(account.roles, clock.now()),
        limit - PERSONAL,
        client=str(account_id),
    )


async def _record(
    tx: AsyncSession, actor_id: UUID, secret_id: UUID, program: _Program | None
) -> None:
    outcome = "refused" if program is None else "done"
    await audit.record(tx, "auth.exchange", actor=actor_id, target=secret_id, outcome=outcome)


def _access(house: House, program: _Program, wanted: frozenset[Permission] | None) -> Access:
    permissions = programs.granted(program.standing, program.limit, wanted)
    claims = tokens.program_claims(
        program.session,
        program.standing,
        permissions,
        issuer=house.settings.token_issuer,
        audience=USER_AUDIENCE,
        client=program.client,
    )
    return Access(sessions.issue(house, claims), permissions)
