"""Accounts and what they may do where, free of any store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from email_validator import EmailNotValidError, validate_email

from kourse.contracts.permissions import Role


class MembershipStatus(StrEnum):
    """How an account stands to a tenant; only active members get tokens."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class Account:
    """A person, once for the whole installation.

    Attributes:
        email: Normalised address.
        locale: BCP 47 tag.
        is_verified: Whether the address was shown to be theirs.
        is_disabled: Whether no log-in and no refresh is allowed.
    """

    id: UUID
    email: str
    display_name: str
    locale: str
    is_verified: bool
    is_disabled: bool


@dataclass(frozen=True)
class Assignment:
    """A role held in a tenant, in one course or in one cohort.

    Attributes:
        course: Name of the course it is limited to, or None.
        cohort: Name of the cohort it is limited to, or None.
        until: Instant from which it no longer counts, or None.
    """

    role: Role
    course: str | None = None
    cohort: str | None = None
    until: datetime | None = None

    @property
    def is_tenant_wide(self) -> bool:
        """Whether it holds in the whole tenant."""
        return self.course is None and self.cohort is None

    @property
    def scope_claim(self) -> str:
        """The scoped form in a token: ``role@course:name`` or ``role@cohort:name``."""
        kind, name = ("course", self.course) if self.course else ("cohort", self.cohort)
        return f"{self.role.value}@{kind}:{name}"

    @property
    def spelled(self) -> str:
        """The role, with its scope where it has one."""
        return self.role.value if self.is_tenant_wide else self.scope_claim


@dataclass(frozen=True)
class Standing:
    """What a token says of a member: tenant-wide roles and scoped ones, sorted."""

    roles: tuple[str, ...]
    scopes: tuple[str, ...]


def normalised_email(address: str) -> str:
    """The one spelling of an address under which its account is kept.

    Case is folded in both parts: no mail system in use tells people apart by it, and two accounts
    that differ in case alone would be a trap.

    Raises:
        ValueError: It is no e-mail address.
    """
    try:
        valid = validate_email(
            address.strip(), check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError as error:
        raise ValueError("This is not an e-mail address.") from error
    return valid.normalized.casefold()


def standing(assignments: Iterable[Assignment], now: datetime) -> Standing:
    """The roles that count at an instant."""
    live = [one for one in assignments if one.until is None or one.until > now]
    return Standing(
        roles=tuple(sorted({one.role.value for one in live if one.is_tenant_wide})),
        scopes=tuple(sorted({one.scope_claim for one in live if not one.is_tenant_wide})),
    )
