"""Routes by which people give programs access, and by which programs get in."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Header, Request

from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.identity.api.shared import CurrentHouse, basic_credentials
from kourse.identity.schemas import people
from kourse.identity.schemas import programs as schemas
from kourse.identity.service import exchange, personal_tokens, service_accounts
from kourse.kit.auth import Actor, allow, host_tenant, public
from kourse.kit.db import Transaction

router = APIRouter()
Self = Annotated[Actor, allow(Permission.ACCOUNT_SELF)]
Manager = Annotated[Actor, allow(Permission.SERVICE_ACCOUNT_MANAGE)]
CLIENT_CREDENTIALS = "client_credentials"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a grant's name
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type's name


@router.post("/v1/account/tokens", status_code=201, tags=["tokens"])
async def create_token(
    house: CurrentHouse, actor: Self, body: schemas.TokenRequest
) -> schemas.NewPersonalToken:
    """A personal access token for this tenant; its secret is shown this once, and a mail tells of it."""
    made, secret = await personal_tokens.create(house, actor, body.confirmation(), body.wanted())
    return schemas.NewPersonalToken(token=secret, details=schemas.PersonalTokenView.of(made))


@router.get("/v1/account/tokens", tags=["tokens"])
async def list_tokens(tx: Transaction, actor: Self) -> schemas.PersonalTokens:
    """The account's personal access tokens in this tenant, newest first."""
    found = await personal_tokens.list_own(tx, actor)
    return schemas.PersonalTokens(items=[schemas.PersonalTokenView.of(one) for one in found])


@router.delete("/v1/account/tokens", status_code=204, tags=["tokens"])
async def revoke_tokens(house: CurrentHouse, actor: Self) -> None:
    """No personal access token of the account opens anything in this tenant."""
    await personal_tokens.revoke(house, actor)


@router.delete("/v1/account/tokens/{token_id}", status_code=204, tags=["tokens"])
async def revoke_token(house: CurrentHouse, actor: Self, token_id: UUID) -> None:
    """The token opens nothing any more, nor does what it was exchanged for."""
    await personal_tokens.revoke(house, actor, token_id)


@router.post("/v1/service-accounts", status_code=201, tags=["service accounts"])
async def create_service_account(
    tx: Transaction, actor: Manager, body: schemas.ServiceAccountRequest
) -> schemas.ServiceAccountView:
    """A service account with these roles, which are never more than the caller's own; without a secret yet."""
    made = await service_accounts.create(tx, actor, body.name, body.description, body.rights())
    return schemas.ServiceAccountView.of(made)


@router.get("/v1/service-accounts", tags=["service accounts"])
async def list_service_accounts(tx: Transaction, _actor: Manager) -> schemas.ServiceAccounts:
    """The tenant's service accounts by name, with when their secrets end and were last used."""
    found = await service_accounts.list_all(tx)
    return schemas.ServiceAccounts(items=[schemas.ServiceAccountView.of(one) for one in found])


@router.put("/v1/service-accounts/{account_id}/roles", status_code=204, tags=["service accounts"])
async def change_service_account(
    house: CurrentHouse, actor: Manager, account_id: UUID, body: schemas.RightsBody
) -> None:
    """The service account holds exactly this; access tokens that say otherwise are dead at once."""
    await service_accounts.change_rights(house, actor, account_id, body.rights())


@router.put("/v1/service-accounts/{account_id}/status", status_code=204, tags=["service accounts"])
async def change_service_account_status(
    house: CurrentHouse, actor: Manager, account_id: UUID, body: people.AccountChange
) -> None:
    """The service account may act, or is disabled and its access tokens are dead at once."""
    is_disabled = body.status == "disabled"
    await service_accounts.set_disabled(house, actor, account_id, is_disabled=is_disabled)


@router.delete("/v1/service-accounts/{account_id}", status_code=204, tags=["service accounts"])
async def delete_service_account(house: CurrentHouse, actor: Manager, account_id: UUID) -> None:
    """The service account is gone with its secrets; access tokens of it are dead at once."""
    await service_accounts.delete(house, actor, account_id)


@router.post(
    "/v1/service-accounts/{account_id}/secrets", status_code=201, tags=["service accounts"]
)
async def create_secret(
    house: CurrentHouse, actor: Manager, account_id: UUID, body: schemas.SecretRequest
) -> schemas.NewSecret:
    """Client credentials, shown this once; up to two secrets are good at a time, so that one replaces the other."""
    made, secret = await service_accounts.add_secret(house, actor, account_id, body.lifetime())
    details = schemas.SecretView.of(made)
    return schemas.NewSecret(client_id=account_id, client_secret=secret, details=details)


@router.delete(
    "/v1/service-accounts/{account_id}/secrets/{secret_id}",
    status_code=204,
    tags=["service accounts"],
)
async def delete_secret(
    house: CurrentHouse, actor: Manager, account_id: UUID, secret_id: UUID
) -> None:
    """The secret opens nothing any more, nor does what it was exchanged for."""
    await service_accounts.delete_secret(house, actor, account_id, secret_id)


@router.post("/v1/oauth/token", dependencies=[public], tags=["tokens"])
async def exchange_secret(
    request: Request,
    house: CurrentHouse,
    grant_type: Annotated[str, Form(examples=[CLIENT_CREDENTIALS])],
    subject_token: Annotated[str, Form(max_length=128)] = "",
    subject_token_type: Annotated[str, Form(max_length=64)] = ACCESS_TOKEN,
    scope: Annotated[str | None, Form(max_length=2000)] = None,
    authorization: Annotated[str, Header(include_in_schema=False)] = "",
) -> schemas.AccessToken:
    """A short access token for a program that shows its secret.

    A service account shows client id and secret by HTTP Basic (`client_credentials`, RFC 6749 section
    4.4), a program of a person their personal access token as `subject_token` (`token-exchange`,
    RFC 8693). With `scope` the token keeps to these permissions.
    """
    host = host_tenant(request)
    wanted = None if scope is None else _permissions(scope)
    if grant_type == CLIENT_CREDENTIALS:
        client_id, secret = basic_credentials(authorization)
        access = await exchange.for_service_account(house, host, client_id, secret, wanted)
    elif grant_type == TOKEN_EXCHANGE and subject_token_type == ACCESS_TOKEN:
        access = await exchange.for_personal_token(house, host, subject_token, wanted)
    else:
        raise Malformed(f"The grant type must be {CLIENT_CREDENTIALS} or {TOKEN_EXCHANGE}.")
    return schemas.AccessToken.of(access)


def _permissions(scope: str) -> frozenset[Permission]:
    try:
        return frozenset(map(Permission, scope.split()))
    except ValueError:
        raise Malformed("`scope` names something that is no permission of the catalog.") from None
