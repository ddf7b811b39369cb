"""Routes of single sign-on: a browser goes to the issuer, and comes back with a code."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Cookie, Form, Query, Request, Response

from kourse.identity.api.shared import Client, CurrentHouse, tenant_in
from kourse.identity.domain.sign_on import PATIENCE
from kourse.identity.errors import SignOnRejected
from kourse.identity.schemas import people as schemas
from kourse.identity.service import sign_on, sign_out
from kourse.identity.service.sign_on import Return
from kourse.kit.auth import host_tenant, public

router = APIRouter(tags=["sessions"])
LOG_IN = "/v1/auth/sso/login"
CALLBACK = "/v1/auth/sso/callback"
BROWSER_COOKIE = "__Host-kourse-sign-on"
"""Ties a return to the browser that left, so that nobody is logged in as somebody else."""
Text = Annotated[str, Query(max_length=2048)]


@router.get(LOG_IN, status_code=303, dependencies=[public])
async def begin_sign_on(
    request: Request,
    house: CurrentHouse,
    tenant: Annotated[str | None, Query(max_length=63)] = None,
) -> Response:
    """The browser goes to the issuer, where people log in once for everything."""
    wanted, home = tenant_in(request, tenant), house.require_issuer().home
    if host_tenant(request) and home.partition("//")[2] != request.headers["host"]:
        # A cookie of this host would not come back to the one that Keycloak sends browsers to.
        return _see_other(f"{home}{LOG_IN}?{urlencode({'tenant': wanted})}")
    departure = await sign_on.begin(house, wanted)
    response = _see_other(departure.address)
    response.set_cookie(
        BROWSER_COOKIE,
        departure.browser,
        max_age=int(PATIENCE.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get(CALLBACK, dependencies=[public])
async def finish_sign_on(
    house: CurrentHouse,
    response: Response,
    state: Text = "",
    code: Text = "",
    iss: Text = "",
    browser: Annotated[str, Cookie(alias=BROWSER_COOKIE, max_length=128)] = "",
    client: Client = "",
) -> schemas.Tokens:
    """A new session in the tenant that the browser left for: an access token and a refresh token."""
    if not (state and code and browser):
        raise SignOnRejected
    response.delete_cookie(BROWSER_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    back = Return(state=state, code=code, issuer=iss, browser=browser, client=client)
    return schemas.Tokens.of(await sign_on.finish(house, back))


@router.post("/v1/auth/sso/backchannel-logout", dependencies=[public])
async def hear_of_log_out(
    house: CurrentHouse,
    logout_token: Annotated[str, Form(max_length=8192)],
) -> Response:
    """The issuer tells of a log-out there: sessions that came of that log-in are over."""
    await sign_out.hear(house, logout_token)
    return Response(headers={"cache-control": "no-store"})


def _see_other(address: str) -> Response:
    return Response(status_code=303, headers={"location": address})
