"""One account that is brought to stand as its user in Keycloak does, after something happened there.

Events only say whom to look at; the user's present state is what counts, so that a late or repeated
event does no harm, and identity's own changes, which make events too, find nothing left to do. The
account's row is held while the realm is asked: what identity changes at the same time is either in the
answer or waits for the end. Nothing is written back, for that could undo what was done there since.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import PasswordReset
from kourse.identity.domain.accounts import Account
from kourse.identity.domain.keycloak import RealmUser
from kourse.identity.errors import AddressTaken, LastAdministrator
from kourse.identity.repository import accounts, audit, links, memberships, realm_progress
from kourse.identity.repository.keycloak_events import RealmEvent
from kourse.identity.repository.keycloak_users import KeycloakUsers
from kourse.identity.service import emails, lifecycle
from kourse.identity.service.house import House
from kourse.kit.auth import Actor
from kourse.kit.outbox import emit
from kourse.kit.telemetry import get_logger

CONSOLE = UUID(int=0)
"""Who acts when something was done in Keycloak."""
log = get_logger(__name__)


async def settle(
    house: House, users: KeycloakUsers, subject: str, events: Sequence[RealmEvent] = ()
) -> None:
    """The account of a subject stands as the user does; each event counts once.

    Args:
        house: Identity's parts.
        users: The realm's users.
        subject: Whom to look at.
        events: What happened to them; none for a look without a reason.

    Raises:
        Unavailable: Keycloak or a store is down; nothing has changed.
    """
    async with house.database.transaction(house.settings.default_tenant) as tx:
        found = await links.find_linked(tx, users.issuer, subject)
        account = None if found is None else await accounts.hold_account(tx, found)
        if account is None:
            return
        new = await realm_progress.note(tx, users.issuer, events) if events else set()
        if events and not new:
            return
        user = await users.find_standing(subject)
        has_new_password = any(one.id in new and one.has_new_password for one in events)
        if user is None:
            await _remove(house, tx, account)
        else:
            await _stand(house, tx, account, user)
        if has_new_password and user is not None:
            await _tell_of_password(house, tx, account.id)
        if user is None or has_new_password or not user.is_enabled:
            await lifecycle.end_access(house, account.id)


async def _remove(house: House, tx: AsyncSession, account: Account) -> None:
    """The account is gone; the last administrator of a tenant is shut out and stays."""
    try:
        async with tx.begin_nested():
            await lifecycle.remove(house, tx, _console(house), account)
    except LastAdministrator:
        log.warning("a tenant's last administrator is gone from keycloak", account=str(account.id))
        await _enter(house, tx)
        await lifecycle.stand(tx, _console(house), account.id, is_disabled=True)


async def _stand(house: House, tx: AsyncSession, account: Account, user: RealmUser) -> None:
    """Standing and address are the user's; an address that another account has stays with that one."""
    await lifecycle.stand(tx, _console(house), account.id, is_disabled=not user.is_enabled)
    if user.email in ("", account.email):
        return
    try:
        await emails.move(tx, account, user.email, actor=CONSOLE)
    except AddressTaken:
        log.warning("an address in keycloak is another account's", account=str(account.id))


async def _tell_of_password(house: House, tx: AsyncSession, account_id: UUID) -> None:
    for tenant in await memberships.list_tenants(tx, account_id):
        await memberships.enter(tx, tenant)
        await emit(tx, PasswordReset(user_id=account_id))
        await audit.record(tx, "auth.reset-password", actor=CONSOLE, target=account_id)
    await _enter(house, tx)


async def _enter(house: House, tx: AsyncSession) -> None:
    await memberships.enter(tx, house.settings.default_tenant)


def _console(house: House) -> Actor:
    return Actor(
        user_id=CONSOLE,
        tenant=house.settings.default_tenant,
        roles=frozenset(),
        session_id="",
        permissions=frozenset(),
        client="keycloak",
    )
