"""Routes by which people and services get in and out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Header, Request, Response
from pydantic import BaseModel

from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.identity.api.shared import Client, CurrentHouse, basic_credentials, tenant_in
from kourse.identity.schemas import people as schemas
from kourse.identity.service import registration, sessions
from kourse.identity.service.confirming import Confirmation
from kourse.identity.service.registration import Register
from kourse.identity.service.sessions import LogIn
from kourse.kit.auth import Actor, allow, internal, public

router = APIRouter()
JWKS_MAX_AGE_S = 300


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
    await registration.register(house, tenant_in(request, body.tenant), command)
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
    presented = Confirmation(body.password, body.code, body.recovery_code)
    command = LogIn(body.email, presented, client)
    return schemas.Tokens.of(await sessions.log_in(house, tenant_in(request, body.tenant), command))


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
    client_id, secret = basic_credentials(authorization)
    issued = sessions.service_token(house, client_id, secret, audience)
    return ServiceToken(
        access_token=issued.access_token, expires_in=int(issued.lifetime.total_seconds())
    )
