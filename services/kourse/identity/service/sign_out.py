"""Log-outs that begin at the issuer, and those that were left there while it was down."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

from kourse.identity.domain.issuer_tokens import LogOut
from kourse.identity.repository import audit, links
from kourse.identity.repository.keycloak_sign_on import KeycloakSignOn
from kourse.identity.service.house import House


async def hear(house: House, logout_token: str) -> None:
    """The sessions are over that came of the log-in of which a logout token tells; a repeat does nothing.

    Raises:
        NotFound: There is no issuer.
        LogOutRejected: The token is none, or not the issuer's for this client and of now.
        Unavailable: The issuer's keys are not known.
    """
    issuer = house.require_issuer()
    told = await issuer.logged_out(logout_token)
    good_for = timedelta(seconds=told.expires_at - time.time())
    if await house.sign_ons.was_heard(told.token_id):
        return
    for session_id in await _sessions(house, issuer, told):
        await house.sign_ons.unlink(session_id)
        owner = await house.families.find_open(session_id)
        if owner is not None:
            await house.families.end(session_id)
            async with house.database.transaction(owner.tenant) as tx:
                await audit.record(tx, "auth.logout", actor=owner.user_id, target=session_id)
    await house.sign_ons.hear(told.token_id, good_for)


async def end_left(house: House) -> None:
    """Log-ins at the issuer are ended whose sessions ended while it was down.

    Whoever uses a log-in at the moment at which it is ended may bring it back, so it is ended in each round
    until the issuer does not know it any more.

    Raises:
        Unavailable: It still is.
    """
    issuer = house.require_issuer()
    for theirs in await house.sign_ons.left():
        if not await issuer.end_session(theirs):
            await house.sign_ons.drop(theirs)


async def _sessions(house: House, issuer: KeycloakSignOn, told: LogOut) -> list[str]:
    """The sessions of the one log-in that is told of, or of all log-ins of the person."""
    if told.session:
        return await house.sign_ons.came_of(told.session)
    async with house.database.transaction(None) as tx:
        account_id: UUID | None = await links.find_linked(tx, issuer.issuer, told.subject)
    if account_id is None:
        return []
    found = await house.families.list_open(account_id)
    return [one.id for one in found if await house.sign_ons.is_linked(one.id)]
