"""The one way into a tenant, so that every membership is followed by the event that tells of it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import UserRegistered
from kourse.identity.domain.accounts import Account, Assignment
from kourse.identity.repository import memberships
from kourse.kit.outbox import emit


async def join(tx: AsyncSession, account: Account, assignments: Sequence[Assignment]) -> bool:
    """Whether the account became a member by this call; one that left or was suspended does not."""
    if not await memberships.add_membership(tx, account.id):
        return False
    await memberships.add_assignments(tx, account.id, assignments)
    await emit(
        tx,
        UserRegistered(
            user_id=account.id, display_name=account.display_name, locale=account.locale
        ),
    )
    return True
