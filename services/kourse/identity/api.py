"""HTTP routes of identity: how people and services get in, and who may let them."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Header, Query, Request, Response
from pydantic import BaseModel

from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.identity import schemas
from kourse.identity.errors import ClientRejected
from kourse.identity.service import members, registration, sessions
from kourse.identity.service.house import House
from kourse.identity.service.members import Admit
from kourse.identity.service.registration import Register
from kourse.identity.service.sessions import LogIn
from kourse.kit.auth import Actor, allow, host_tenant, internal, public
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.idempotency import IdempotencyKey, idempotency

router = APIRouter()
JWKS_MAX_AGE_S = 300


async def _house(request: Request) -> House:
    house: House = request.app.state.runtime.extras["house"]
    return house


CurrentHouse = Annotated[House, Depends(_house)]
Client = Annotated[str, Header(alias="user-agent", include_in_schema=False)]


@router.get("/.well-known/jwks.json", dependencies=[public], tags=["tokens"])
async def read_jwks(house: CurrentHouse, response: Response) -> dict[str, Any]:
    """The public keys that verify the platform's tokens (RFC 7517)."""
    response.headers["cache-control"] = f"public, max-age={JWKS_MAX_AGE_S}"
    return house.keys.jwks()


@router.post("/v1/auth/register", status_code=202, dependencies=[public], tags=["sessions"])
async def register(
    request: Request, house: CurrentHouse, body: schemas.Registration
) -> schemas.Accepted:
    """A code goes to the address, unless it has an account already; the answer is the same."""
    command = Register(
        email=body.email,
        password=body.password,
        display_name=body.display_name,
        locale=body.locale,
    )
    await registration.register(house, _tenant(request, body.tenant), command)
    return schemas.Accepted()


@router.post("/v1/auth/verify-email", status_code=204, dependencies=[public], tags=["sessions"])
async def verify_email(house: CurrentHouse, body: schemas.Verification) -> None:
    """The address is verified; log-in is open."""
    await registration.verify_email(house, body.email, body.code)


@router.post("/v1/auth/login", dependencies=[public], tags=["sessions"])
async def log_in(
    request: Request, house: CurrentHouse, body: schemas.Login, client: Client = ""
) -> schemas.Tokens:
    """A new session in one tenant: an access token and a refresh token."""
    command = LogIn(body.email, body.password, body.code, client)
    return schemas.Tokens.of(await sessions.log_in(house, _tenant(request, body.tenant), command))


@router.post("/v1/auth/refresh", dependencies=[public], tags=["sessions"])
async def refresh(
    house: CurrentHouse, body: schemas.Refresh, client: Client = ""
) -> schemas.Tokens:
    """The next pair of tokens; each refresh token is good once, and a second use ends the session."""
    return schemas.Tokens.of(await sessions.refresh(house, body.refresh_token, client))


@router.post("/v1/auth/logout", status_code=204, tags=["sessions"])
async def log_out(
    house: CurrentHouse, actor: Annotated[Actor, allow(Permission.ACCOUNT_SELF)]
) -> None:
    """The session is over, with all its tokens."""
    await sessions.log_out(house, actor.tenant, actor.user_id, actor.session_id)


class ServiceToken(BaseModel):
    """An access token by client credentials, in the words of RFC 6749 section 5.1."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - a type's name
    expires_in: int


@router.post("/v1/auth/token", dependencies=[internal], tags=["tokens"])
async def issue_service_token(
    house: CurrentHouse,
    grant_type: Annotated[str, Form()],
    audience: Annotated[str, Form(max_length=64)],
    authorization: Annotated[str, Header()] = "",
) -> ServiceToken:
    """A token with which one service may call another; internal, by HTTP Basic."""
    if grant_type != "client_credentials":
        raise Malformed("The grant type must be client_credentials.")
    client_id, secret = _basic(authorization)
    issued = sessions.service_token(house, client_id, secret, audience)
    return ServiceToken(
        access_token=issued.access_token, expires_in=int(issued.lifetime.total_seconds())
    )


@router.get("/v1/account", tags=["account"])
async def read_account(
    tx: Transaction, actor: Annotated[Actor, allow(Permission.ACCOUNT_SELF)]
) -> schemas.AccountView:
    """The account of whoever asks, with their roles in this tenant."""
    account = await members.get_account(tx, actor.user_id)
    return schemas.AccountView(
        id=account.id,
        email=account.email,
        email_verified=account.is_verified,
        display_name=account.display_name,
        locale=account.locale,
        tenant=actor.tenant,
        roles=sorted(actor.roles),
        scopes=sorted(actor.scopes),
    )


@router.post("/v1/memberships", status_code=201, tags=["memberships"])
async def admit_member(
    tx: Transaction,
    house: CurrentHouse,
    actor: Annotated[Actor, allow(Permission.MEMBERSHIP_MANAGE)],
    key: Annotated[IdempotencyKey, idempotency()],
    body: schemas.Admission,
) -> schemas.MemberView:
    """The person is a member with these roles; an account is made when the address has none."""
    command = Admit(
        email=body.email,
        display_name=body.display_name,
        locale=body.locale,
        roles=tuple(dict.fromkeys(body.roles)),
        password=body.password,
    )
    member = await members.admit(house, tx, actor, command)
    return await key.remember(tx, 201, schemas.MemberView.of(member))


@router.get("/v1/memberships", tags=["memberships"])
async def list_members(
    tx: Transaction,
    _actor: Annotated[Actor, allow(Permission.MEMBERSHIP_MANAGE)],
    email: Annotated[schemas.Email | None, Query(description="Only with this address.")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[schemas.MemberView]:
    """The tenant's members, oldest accounts first."""
    found = await members.list_members(tx, email=email, after=_member_after(after), limit=limit + 1)
    shown, following = Cursor.page(found, limit, key=lambda one: (one.account.id,))
    return Page(items=[schemas.MemberView.of(one) for one in shown], next=following)


@router.put("/v1/memberships/{user_id}/roles", status_code=204, tags=["memberships"])
async def assign_roles(
    user_id: UUID,
    house: CurrentHouse,
    actor: Annotated[Actor, allow(Permission.ROLE_ASSIGN)],
    body: schemas.Roles,
) -> None:
    """The member holds exactly these roles; access tokens that say otherwise are dead at once."""
    await members.assign_roles(house, actor, user_id, [one.assignment() for one in body.roles])


def _tenant(request: Request, named: str | None) -> str:
    """The host's tenant, else the one named, else the default."""
    default: str = request.app.state.runtime.settings.default_tenant
    return host_tenant(request) or named or default


def _member_after(cursor: str | None) -> UUID | None:
    key = Cursor.decode(cursor, 1)
    try:
        return None if key is None else UUID(key[0])
    except (ValueError, AttributeError, TypeError):
        raise Malformed("`after` is not a cursor of this list.") from None


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        pair = ""
    client_id, separator, secret = pair.partition(":")
    if scheme.lower() != "basic" or not separator:
        raise ClientRejected
    return client_id, secret
