"""Which account belongs to which subject of an outside issuer; never told by address."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.identity.domain.accounts import Account
from kourse.identity.repository.accounts import account_of
from kourse.identity.tables import account, account_link


async def put_link(tx: AsyncSession, issuer: str, subject: str, account_id: UUID) -> None:
    """The issuer's subject is this account's, and no other subject of the issuer is."""
    await tx.execute(
        insert(account_link)
        .values(issuer=issuer, subject=subject, account_id=account_id)
        .on_conflict_do_update(
            index_elements=[account_link.c.issuer, account_link.c.account_id],
            set_={"subject": subject},
        )
    )


async def find_subject(tx: AsyncSession, issuer: str, account_id: UUID) -> str | None:
    """The account's subject at the issuer."""
    found = select(account_link.c.subject).where(
        account_link.c.issuer == issuer, account_link.c.account_id == account_id
    )
    return (await tx.execute(found)).scalar_one_or_none()


async def find_subject_by_email(tx: AsyncSession, issuer: str, email: str) -> str | None:
    """The subject of the account with a normalised address."""
    found = (
        select(account_link.c.subject)
        .join(account, account.c.id == account_link.c.account_id)
        .where(account_link.c.issuer == issuer, account.c.email == email)
    )
    return (await tx.execute(found)).scalar_one_or_none()


async def find_accounts(
    tx: AsyncSession, issuer: str, subjects: Collection[str]
) -> dict[str, Account]:
    """The accounts of those of the issuer's subjects that have one, by subject."""
    found = (
        select(account_link.c.subject, account)
        .join(account, account.c.id == account_link.c.account_id)
        .where(account_link.c.issuer == issuer, account_link.c.subject.in_(subjects))
    )
    return {row.subject: account_of(row) for row in await tx.execute(found)}


async def list_subjects(tx: AsyncSession, issuer: str) -> set[str]:
    """Every subject of the issuer that has an account."""
    found = select(account_link.c.subject).where(account_link.c.issuer == issuer)
    return set((await tx.execute(found)).scalars())


async def find_linked(tx: AsyncSession, issuer: str, subject: str) -> UUID | None:
    """The account that a subject of the issuer belongs to."""
    found = select(account_link.c.account_id).where(
        account_link.c.issuer == issuer, account_link.c.subject == subject
    )
    return (await tx.execute(found)).scalar_one_or_none()


async def remove_link(tx: AsyncSession, issuer: str, account_id: UUID) -> None:
    """The account has no subject at the issuer."""
    await tx.execute(
        delete(account_link).where(
            account_link.c.issuer == issuer, account_link.c.account_id == account_id
        )
    )
