"""Routes by which people look after their own account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request

from kourse.contracts.permissions import Permission
from kourse.identity.api.shared import CurrentHouse, address_of, tenant_in
from kourse.identity.schemas import account as own
from kourse.identity.schemas import people as schemas
from kourse.identity.service import (
    emails,
    lifecycle,
    members,
    passwords,
    resets,
    second_factor,
    sessions,
)
from kourse.kit.auth import Actor, allow, public
from kourse.kit.db import Transaction

router = APIRouter()
Self = Annotated[Actor, allow(Permission.ACCOUNT_SELF)]


@router.get("/v1/account", tags=["account"])
async def read_account(
    tx: Transaction, actor: Annotated[Actor, allow(Permission.ACCOUNT_READ)]
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


@router.post(
    "/v1/auth/request-password-reset", status_code=202, dependencies=[public], tags=["account"]
)
async def request_password_reset(
    request: Request, house: CurrentHouse, body: own.ResetRequest
) -> schemas.Accepted:
    """A link goes to the address when it has an account here; the answer is the same."""
    tenant = tenant_in(request, body.tenant)
    await resets.request(house, tenant, body.email, address_of(request))
    return schemas.Accepted()


@router.post("/v1/auth/reset-password", status_code=204, dependencies=[public], tags=["account"])
async def reset_password(house: CurrentHouse, body: own.Reset) -> None:
    """The account has this password, every session has ended, and no lock is in force."""
    await resets.reset(house, body.token, body.password)


@router.put("/v1/account/password", status_code=204, tags=["account"])
async def change_password(house: CurrentHouse, actor: Self, body: own.PasswordChange) -> None:
    """The account has the new password, and every session but this one has ended."""
    await passwords.change(house, actor, body.confirmation(), body.new_password)


@router.post("/v1/account/email", status_code=202, tags=["account"])
async def change_email(house: CurrentHouse, actor: Self, body: own.EmailChange) -> schemas.Accepted:
    """A code goes to the new address, unless it has an account already; the answer is the same."""
    await emails.request_change(house, actor, body.confirmation(), body.new_email)
    return schemas.Accepted()


@router.post("/v1/account/email/confirm", status_code=204, tags=["account"])
async def confirm_email(house: CurrentHouse, actor: Self, body: own.EmailCode) -> None:
    """The account has the new address; the former one is told."""
    await emails.confirm_change(house, actor, body.code)


@router.post("/v1/account/delete", status_code=204, tags=["account"])
async def delete_own_account(house: CurrentHouse, actor: Self, body: own.Confirmed) -> None:
    """The account is gone in every tenant; services forget what says something of the person."""
    await lifecycle.delete_own(house, actor, body.confirmation())


@router.get("/v1/account/sessions", tags=["account"])
async def list_sessions(house: CurrentHouse, actor: Self) -> own.Sessions:
    """The sessions of the account in every tenant, newest first."""
    found = await house.families.list_open(actor.user_id)
    return own.Sessions(items=[own.SessionView.of(one, actor.session_id) for one in found])


@router.delete("/v1/account/sessions", status_code=204, tags=["account"])
async def log_out_everywhere(house: CurrentHouse, actor: Self) -> None:
    """Every session of the account is over, this one too."""
    await sessions.log_out_everywhere(house, actor)


@router.delete("/v1/account/sessions/{session_id}", status_code=204, tags=["account"])
async def end_session(house: CurrentHouse, actor: Self, session_id: str) -> None:
    """The session is over: its refresh tokens and its access tokens are refused."""
    await sessions.end_session(house, actor, session_id)


@router.post("/v1/account/factor", tags=["account"])
async def offer_factor(house: CurrentHouse, actor: Self, body: own.Confirmed) -> own.FactorOffer:
    """A secret for an authenticator application; it counts once a code of it came back."""
    offer = await second_factor.offer(house, actor, body.confirmation())
    return own.FactorOffer(secret=offer.secret, address=offer.address)


@router.post("/v1/account/factor/confirm", tags=["account"])
async def confirm_factor(
    house: CurrentHouse, actor: Self, body: own.FactorCode
) -> own.RecoveryCodes:
    """Log-in asks for codes from now on; these stand in for a lost device, each once."""
    return own.RecoveryCodes(codes=await second_factor.confirm(house, actor, body.code))


@router.post("/v1/account/factor/remove", status_code=204, tags=["account"])
async def remove_factor(house: CurrentHouse, actor: Self, body: own.Confirmed) -> None:
    """Log-in asks for the password alone."""
    await second_factor.remove(house, actor, body.confirmation())
