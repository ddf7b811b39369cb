"""Rows of service accounts and of their secrets' digests, kept per tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.permissions import Permission, Role
from kourse.identity.domain.accounts import Assignment
from kourse.identity.errors import NameTaken
from kourse.identity.repository.bearers import show, touch
from kourse.identity.tables import service_account as accounts
from kourse.identity.tables import service_account_secret as secrets


@dataclass(frozen=True)
class Secret:
    """A secret as administrators see it; the text itself is nowhere.

    Attributes:
        used_at: About when it was last shown, to the hour; None for never.
    """

    id: UUID
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True)
class ServiceAccount:
    """A program that acts for itself.

    Attributes:
        roles: What it holds and where.
        permissions: The most that the roles allow it; None for all but what is people's alone.
    """

    id: UUID
    tenant: str
    name: str
    description: str
    roles: tuple[Assignment, ...]
    permissions: frozenset[Permission] | None
    created_at: datetime
    is_disabled: bool
    secrets: tuple[Secret, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A secret that a program showed, and whose it is."""

    id: UUID
    tenant: str
    account_id: UUID
    expires_at: datetime


async def add_account(
    tx: AsyncSession,
    *,
    account_id: UUID,
    name: str,
    description: str,
    roles: Sequence[Assignment],
    permissions: Iterable[Permission] | None,
    created_by: UUID,
) -> ServiceAccount:
    """The tenant has one service account more.

    Raises:
        NameTaken: One has this name already.
    """
    values = {
        "id": account_id,
        "tenant": tx.info["tenant"],
        "name": name,
        "description": description,
        "roles": [_written(one) for one in roles],
        "permissions": _names(permissions),
        "created_by": created_by,
    }
    try:
        async with tx.begin_nested():
            row = (await tx.execute(insert(accounts).values(values).returning(accounts))).one()
    except IntegrityError:
        raise NameTaken from None
    return _account(row, ())


async def list_accounts(tx: AsyncSession) -> list[ServiceAccount]:
    """The tenant's service accounts with their secrets, by name."""
    held: dict[UUID, list[Secret]] = {}
    for row in (await tx.execute(select(secrets).order_by(secrets.c.created_at))).all():
        held.setdefault(row.service_account_id, []).append(_secret(row))
    rows = (await tx.execute(select(accounts).order_by(accounts.c.name))).all()
    return [_account(row, held.get(row.id, ())) for row in rows]


async def count_accounts(tx: AsyncSession) -> int:
    """How many service accounts the tenant has."""
    return int((await tx.execute(select(func.count()).select_from(accounts))).scalar_one())


async def get_account(tx: AsyncSession, account_id: UUID, *, change: bool) -> ServiceAccount:
    """The service account with its secrets, which stays as it is until the transaction ends.

    Args:
        tx: The transaction.
        account_id: Which one.
        change: Whether the caller changes it, and so waits for those who read it and they for the caller.

    Raises:
        NotFound: The tenant has no such one.
    """
    statement = select(accounts).where(accounts.c.id == account_id)
    row = (await tx.execute(statement.with_for_update(read=not change))).one_or_none()
    if row is None:
        raise NotFound("There is no such service account.")
    of_account = secrets.c.service_account_id == account_id
    found = await tx.execute(select(secrets).where(of_account).order_by(secrets.c.created_at))
    return _account(row, [_secret(one) for one in found.all()])


async def set_roles(
    tx: AsyncSession,
    account_id: UUID,
    roles: Sequence[Assignment],
    permissions: Iterable[Permission] | None,
) -> None:
    """The service account holds exactly these roles within this limit."""
    written = [_written(one) for one in roles]
    await tx.execute(
        update(accounts)
        .where(accounts.c.id == account_id)
        .values(roles=written, permissions=_names(permissions))
    )


async def set_disabled(tx: AsyncSession, account_id: UUID, *, is_disabled: bool) -> None:
    """The service account gets no token, or gets them again."""
    at = func.clock_timestamp() if is_disabled else None
    await tx.execute(update(accounts).where(accounts.c.id == account_id).values(disabled_at=at))


async def remove_account(tx: AsyncSession, account_id: UUID) -> None:
    """The service account is gone with its secrets."""
    await tx.execute(delete(accounts).where(accounts.c.id == account_id))


async def add_secret(
    tx: AsyncSession, account_id: UUID, *, secret_id: UUID, digest: str, expires_at: datetime
) -> Secret:
    """The service account has one secret more."""
    row = await tx.execute(
        insert(secrets)
        .values(
            id=secret_id,
            tenant=tx.info["tenant"],
            service_account_id=account_id,
            digest=digest,
            expires_at=expires_at,
        )
        .returning(secrets)
    )
    return _secret(row.one())


async def remove_secret(tx: AsyncSession, account_id: UUID, secret_id: UUID) -> bool:
    """Whether the service account had this secret, which opens nothing any more."""
    statement = (
        delete(secrets)
        .where(secrets.c.service_account_id == account_id, secrets.c.id == secret_id)
        .returning(secrets.c.id)
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None


async def find_shown(tx: AsyncSession, digest: str) -> Shown | None:
    """The secret with this digest, in whichever tenant."""
    await show(tx, digest)
    row = (await tx.execute(select(secrets).where(secrets.c.digest == digest))).one_or_none()
    if row is None:
        return None
    return Shown(row.id, row.tenant, row.service_account_id, row.expires_at)


async def mark_used(tx: AsyncSession, secret_id: UUID) -> None:
    """The secret was shown now, as far as an hour's precision tells."""
    await touch(tx, secrets, secret_id)


def _account(row: Row[Any], held: Sequence[Secret]) -> ServiceAccount:
    known = {permission.value for permission in Permission}
    limit = row.permissions
    return ServiceAccount(
        id=row.id,
        tenant=row.tenant,
        name=row.name,
        description=row.description,
        roles=tuple(_read(one) for one in row.roles),
        permissions=None
        if limit is None
        else frozenset(Permission(name) for name in limit if name in known),
        created_at=row.created_at,
        is_disabled=row.disabled_at is not None,
        secrets=tuple(held),
    )


def _secret(row: Row[Any]) -> Secret:
    return Secret(row.id, row.created_at, row.expires_at, row.used_at)


def _names(permissions: Iterable[Permission] | None) -> list[str] | None:
    return None if permissions is None else sorted(one.value for one in permissions)


def _written(one: Assignment) -> dict[str, str | None]:
    until = one.until.isoformat() if one.until else None
    return {"role": one.role.value, "course": one.course, "cohort": one.cohort, "until": until}


def _read(one: Mapping[str, Any]) -> Assignment:
    until = datetime.fromisoformat(one["until"]) if one["until"] else None
    return Assignment(Role(one["role"]), one["course"], one["cohort"], until)
