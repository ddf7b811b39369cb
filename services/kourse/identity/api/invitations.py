"""Routes by which people are asked in, and by which they come."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from kourse.contracts.errors import Malformed
from kourse.contracts.permissions import Permission
from kourse.identity.api.shared import CurrentHouse
from kourse.identity.schemas import invitations as schemas
from kourse.identity.service import accepting, invitations
from kourse.kit.auth import Actor, allow, public
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page

router = APIRouter()
Host = Annotated[Actor, allow(Permission.INVITATION_MANAGE, scoped=True)]


@router.post("/v1/invitations", status_code=201, tags=["invitations"])
async def invite(
    house: CurrentHouse, actor: Host, body: schemas.InvitationRequest
) -> schemas.Invitations:
    """Every address gets a mail, unless it is asked in to the same already; the answer tells nothing of accounts."""
    found = await invitations.invite(house, actor, body.invite())
    return schemas.Invitations(items=[schemas.InvitationView.of(one) for one in found])


@router.get("/v1/invitations", tags=["invitations"])
async def list_invitations(
    tx: Transaction, actor: Host, limit: Limit = 50, after: After = None
) -> Page[schemas.InvitationView]:
    """The invitations that the caller may manage, with what became of each, newest first."""
    found = await invitations.list_invitations(tx, actor, after=_after(after), limit=limit + 1)
    shown, following = Cursor.page(
        found, limit, key=lambda one: (one.created_at.isoformat(), one.id)
    )
    return Page(items=[schemas.InvitationView.of(one) for one in shown], next=following)


@router.post("/v1/invitations/{invitation_id}/resend", status_code=204, tags=["invitations"])
async def resend_invitation(
    invitation_id: UUID, house: CurrentHouse, actor: Host, body: schemas.Renewal
) -> None:
    """The invitation is mailed with another link; the former one is dead."""
    await invitations.resend(house, actor, invitation_id, body.lifetime())


@router.delete("/v1/invitations/{invitation_id}", status_code=204, tags=["invitations"])
async def revoke_invitation(invitation_id: UUID, house: CurrentHouse, actor: Host) -> None:
    """Nobody can accept the invitation."""
    await invitations.revoke(house, actor, invitation_id)


@router.post("/v1/account/accept-invitation", status_code=204, tags=["invitations"])
async def accept_as_account(
    house: CurrentHouse,
    actor: Annotated[Actor, allow(Permission.ACCOUNT_SELF)],
    body: schemas.InvitationToken,
) -> None:
    """Whoever asks is a member of the tenant that invited their address, with the role."""
    await accepting.accept_as(house, actor, body.token)


@router.post(
    "/v1/auth/accept-invitation", status_code=204, dependencies=[public], tags=["invitations"]
)
async def accept_invitation(house: CurrentHouse, body: schemas.Acceptance) -> None:
    """Whoever has the link is a member with the role; an account is made when the address has none."""
    await accepting.accept(house, body.token, body.newcomer())


def _after(cursor: str | None) -> tuple[datetime, UUID] | None:
    key = Cursor.decode(cursor, 2)
    try:
        return None if key is None else (datetime.fromisoformat(key[0]), UUID(key[1]))
    except (ValueError, AttributeError, TypeError):
        raise Malformed("`after` is not a cursor of this list.") from None
