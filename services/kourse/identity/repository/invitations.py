"""Rows of invitations: who is asked in with which role, and what became of it. Links are kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.permissions import Role
from kourse.identity.domain.accounts import Assignment
from kourse.identity.repository.deliveries import MOST_REDEMPTIONS
from kourse.identity.tables import invitation
from kourse.kit import clock

KEPT_FOR = timedelta(days=30)
"""How long an invitation that nobody accepted is kept after its end, address and all."""
_NOW = func.clock_timestamp()


class State(StrEnum):
    """What became of an invitation."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Invitation:
    """Somebody is asked in.

    Attributes:
        email: Normalised address.
        assignment: The role that they are to hold.
        locale: BCP 47 tag of the language to write to them.
        delivery_id: Of its newest mail.
    """

    id: UUID
    email: str
    assignment: Assignment
    locale: str
    invited_by: UUID
    delivery_id: UUID
    created_at: datetime
    expires_at: datetime
    state: State


async def add_invitation(
    tx: AsyncSession,
    *,
    invitation_id: UUID,
    email: str,
    assignment: Assignment,
    locale: str,
    invited_by: UUID,
    delivery_id: UUID,
    expires_at: datetime,
) -> Invitation:
    """The address is asked in."""
    row = await tx.execute(
        insert(invitation)
        .values(
            id=invitation_id,
            tenant=tx.info["tenant"],
            email=email,
            role=assignment.role.value,
            course=assignment.course,
            cohort=assignment.cohort,
            until=assignment.until,
            locale=locale,
            invited_by=invited_by,
            delivery_id=delivery_id,
            expires_at=expires_at,
        )
        .returning(invitation)
    )
    return _invitation(row.one())


async def find_open(tx: AsyncSession, email: str, assignment: Assignment) -> Invitation | None:
    """The open invitation of an address to a role in the same part of the tenant."""
    statement = select(invitation).where(
        invitation.c.email == email,
        invitation.c.role == assignment.role.value,
        invitation.c.course.is_not_distinct_from(assignment.course),
        invitation.c.cohort.is_not_distinct_from(assignment.cohort),
        *_is_open(),
    )
    row = (await tx.execute(statement.limit(1))).one_or_none()
    return None if row is None else _invitation(row)


async def find_invitation(tx: AsyncSession, invitation_id: UUID) -> Invitation | None:
    """The invitation, which nobody else changes until the transaction ends."""
    statement = select(invitation).where(invitation.c.id == invitation_id).with_for_update()
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else _invitation(row)


async def list_invitations(
    tx: AsyncSession,
    *,
    courses: Iterable[str] | None,
    cohorts: Iterable[str],
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Invitation]:
    """A page of the tenant's invitations, newest first.

    Args:
        tx: The transaction.
        courses: Only those to these courses and cohorts; None for all of the tenant.
        cohorts: See ``courses``.
        after: Time and id of the last one of the page before.
        limit: Most invitations.
    """
    statement = (
        select(invitation)
        .order_by(invitation.c.created_at.desc(), invitation.c.id.desc())
        .limit(limit)
    )
    if courses is not None:
        within = (invitation.c.course.in_(list(courses)), invitation.c.cohort.in_(list(cohorts)))
        statement = statement.where(or_(*within))
    if after is not None:
        statement = statement.where(tuple_(invitation.c.created_at, invitation.c.id) < after)
    return [_invitation(row) for row in (await tx.execute(statement)).all()]


async def count_open(tx: AsyncSession) -> int:
    """How many invitations of the tenant wait to be accepted."""
    statement = select(func.count()).select_from(invitation).where(*_is_open())
    return int((await tx.execute(statement)).scalar_one())


async def renew(
    tx: AsyncSession, invitation_id: UUID, *, delivery_id: UUID, expires_at: datetime
) -> None:
    """The invitation is mailed again and good until later."""
    await tx.execute(
        update(invitation)
        .where(invitation.c.id == invitation_id)
        .values(delivery_id=delivery_id, redemptions=0, expires_at=expires_at)
    )


async def revoke(tx: AsyncSession, invitation_id: UUID) -> None:
    """Nobody can accept the invitation any more."""
    await tx.execute(
        update(invitation).where(invitation.c.id == invitation_id).values(revoked_at=_NOW)
    )


async def accept(tx: AsyncSession, invitation_id: UUID, account_id: UUID) -> None:
    """The account came in by the invitation, which is used up."""
    await tx.execute(
        update(invitation)
        .where(invitation.c.id == invitation_id)
        .values(accepted_at=_NOW, accepted_by=account_id)
    )


async def claim_redemption(tx: AsyncSession, delivery_id: UUID) -> Invitation | None:
    """The open invitation of a mail, one more redemption counted; None when there is none to be mailed."""
    statement = (
        update(invitation)
        .where(
            invitation.c.delivery_id == delivery_id,
            invitation.c.redemptions < MOST_REDEMPTIONS,
            *_is_open(),
        )
        .values(redemptions=invitation.c.redemptions + 1)
        .returning(invitation)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else _invitation(row)


async def forget_old(tx: AsyncSession) -> None:
    """Addresses of people who did not come in are not kept for long."""
    await tx.execute(
        delete(invitation).where(
            invitation.c.accepted_at.is_(None), invitation.c.expires_at < _NOW - KEPT_FOR
        )
    )


def _is_open() -> tuple[ColumnElement[bool], ...]:
    is_unused = and_(invitation.c.accepted_at.is_(None), invitation.c.revoked_at.is_(None))
    return is_unused, invitation.c.expires_at > _NOW


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(
        id=row.id,
        email=row.email,
        assignment=Assignment(Role(row.role), row.course, row.cohort, row.until),
        locale=row.locale,
        invited_by=row.invited_by,
        delivery_id=row.delivery_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        state=_state(row),
    )


def _state(row: Row[Any]) -> State:
    if row.accepted_at is not None:
        return State.ACCEPTED
    if row.revoked_at is not None:
        return State.REVOKED
    return State.OPEN if row.expires_at > clock.now() else State.EXPIRED
