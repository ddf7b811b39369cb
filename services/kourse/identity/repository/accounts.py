"""Rows of accounts and of the local credentials; both are global, so any transaction sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.identity.domain.accounts import Account
from kourse.identity.errors import AddressTaken
from kourse.identity.tables import account, credential, factor

_BY_EMAIL = select(account).where(account.c.email == bindparam("email"))
_SEALED = (
    select(
        credential.c.account_id,
        credential.c.sealed,
        exists().where(factor.c.account_id == credential.c.account_id).label("has_factor"),
    )
    .join(account, account.c.id == credential.c.account_id)
    .where(account.c.email == bindparam("email"), account.c.disabled_at.is_(None))
)


@dataclass(frozen=True)
class Sealed:
    """What opens an account.

    Attributes:
        account_id: Whose it is.
        password: As an argon2id string.
        has_factor: Whether a second factor is asked for too.
    """

    account_id: UUID
    password: str
    has_factor: bool


async def add_account(
    tx: AsyncSession,
    *,
    account_id: UUID,
    email: str,
    display_name: str,
    locale: str,
    is_verified: bool = False,
) -> bool:
    """Whether the account was made; False when the address has one already.

    A second transaction with the same address waits here for the first, so exactly one wins.
    """
    statement = (
        insert(account)
        .values(
            id=account_id,
            email=email,
            display_name=display_name,
            locale=locale,
            email_verified_at=func.clock_timestamp() if is_verified else None,
        )
        .on_conflict_do_nothing(index_elements=[account.c.email])
        .returning(account.c.id)
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None


async def find_account_by_email(tx: AsyncSession, email: str) -> Account | None:
    """The account of a normalised address."""
    row = (await tx.execute(_BY_EMAIL, {"email": email})).one_or_none()
    return None if row is None else account_of(row)


async def find_id_by_email(tx: AsyncSession, email: str) -> UUID | None:
    """The id of the account of a normalised address."""
    found = select(account.c.id).where(account.c.email == email)
    return (await tx.execute(found)).scalar_one_or_none()


async def find_account(tx: AsyncSession, account_id: UUID) -> Account | None:
    """The account with this id."""
    row = (await tx.execute(select(account).where(account.c.id == account_id))).one_or_none()
    return None if row is None else account_of(row)


async def hold_account(tx: AsyncSession, account_id: UUID) -> Account | None:
    """The account with this id, which nobody else changes before the transaction is over."""
    found = select(account).where(account.c.id == account_id).with_for_update()
    row = (await tx.execute(found)).one_or_none()
    return None if row is None else account_of(row)


async def get_account(tx: AsyncSession, account_id: UUID) -> Account:
    """The account with this id.

    Raises:
        NotFound: There is none.
    """
    found = await find_account(tx, account_id)
    if found is None:
        raise NotFound("There is no such account.")
    return found


async def lock_account(tx: AsyncSession, account_id: UUID) -> None:
    """Whoever locks the same account waits until this transaction ends."""
    held = select(account.c.id).where(account.c.id == account_id)
    await tx.execute(held.with_for_update(key_share=True))


async def mark_verified(tx: AsyncSession, account_id: UUID) -> bool:
    """Whether the address became verified by this call; False when it was before."""
    statement = (
        update(account)
        .where(account.c.id == account_id, account.c.email_verified_at.is_(None))
        .values(email_verified_at=func.clock_timestamp())
        .returning(account.c.id)
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None


async def change_email(tx: AsyncSession, account_id: UUID, email: str) -> None:
    """The account has this normalised address, which its holder has shown to be theirs.

    Raises:
        AddressTaken: Another account has it.
    """
    try:
        async with tx.begin_nested():
            await tx.execute(
                update(account)
                .where(account.c.id == account_id)
                .values(email=email, email_verified_at=func.clock_timestamp())
            )
    except IntegrityError:
        raise AddressTaken from None


async def set_disabled(tx: AsyncSession, account_id: UUID, *, is_disabled: bool) -> bool:
    """Whether this call disabled or enabled the account; False when it stood so before."""
    now = account.c.disabled_at
    statement = (
        update(account)
        .where(account.c.id == account_id, now.is_(None) if is_disabled else now.is_not(None))
        .values(disabled_at=func.clock_timestamp() if is_disabled else None)
        .returning(account.c.id)
    )
    return (await tx.execute(statement)).scalar_one_or_none() is not None


async def remove_account(tx: AsyncSession, account_id: UUID) -> None:
    """The account is gone with all that only it had, and its address is free."""
    await tx.execute(delete(account).where(account.c.id == account_id))


async def find_sealed(tx: AsyncSession, email: str) -> Sealed | None:
    """What opens the account behind a normalised address; None without account or password."""
    row = (await tx.execute(_SEALED, {"email": email})).one_or_none()
    return None if row is None else Sealed(*row)


async def put_sealed(tx: AsyncSession, account_id: UUID, sealed: str) -> None:
    """The account opens with this password from the commit on, and with no other."""
    statement = insert(credential).values(account_id=account_id, sealed=sealed)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[credential.c.account_id],
            set_={"sealed": sealed, "changed_at": func.clock_timestamp()},
        )
    )


async def reseal(tx: AsyncSession, account_id: UUID, *, old: str, new: str) -> None:
    """The same password under newer parameters, unless it was changed meanwhile."""
    await tx.execute(
        update(credential)
        .where(credential.c.account_id == account_id, credential.c.sealed == old)
        .values(sealed=new)
    )


async def has_credential(tx: AsyncSession, account_id: UUID) -> bool:
    """Whether a password opens the account."""
    found = select(credential.c.account_id).where(credential.c.account_id == account_id)
    return (await tx.execute(found)).scalar_one_or_none() is not None


async def remove_credential(tx: AsyncSession, account_id: UUID) -> None:
    """No password opens the account."""
    await tx.execute(delete(credential).where(credential.c.account_id == account_id))


def account_of(row: Row[Any]) -> Account:
    """The account in a row that holds the account's columns."""
    return Account(
        id=row.id,
        email=row.email,
        display_name=row.display_name,
        locale=row.locale,
        is_verified=row.email_verified_at is not None,
        is_disabled=row.disabled_at is not None,
    )
