"""Log-in, memberships and roles on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from kourse.contracts.permissions import Role
from kourse.identity.domain.accounts import Assignment, MembershipStatus, normalised_email
from kourse.identity.domain.passwords import MAXIMUM_LENGTH
from kourse.identity.repository.memberships import Member
from kourse.identity.service.sessions import Issued
from kourse.kit.http import Body, View


def printable(text: str) -> str:
    """The text.

    Raises:
        ValueError: It has characters that no screen shows.
    """
    if not text.isprintable():
        raise ValueError("Use printable characters only.")
    return text


LABEL = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
Email = Annotated[str, Field(max_length=254), AfterValidator(normalised_email)]
Password = Annotated[str, Field(min_length=1, max_length=4 * MAXIMUM_LENGTH)]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(printable),
]
Locale = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
Label = Annotated[str, Field(pattern=LABEL)]
RecoveryCode = Annotated[str, Field(max_length=40)]
Opaque = Annotated[str, Field(min_length=1, max_length=256)]


class Registration(Body):
    """A person wants an account."""

    email: Email
    password: Password
    display_name: Name
    locale: Locale = "en"
    tenant: Label | None = None


class Accepted(View):
    """The same for every address, known or not."""

    status: Literal["accepted"] = "accepted"


class Verification(Body):
    """The code that came by mail."""

    email: Email
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]


class Login(Body):
    """Address and password, and the tenant where the host names none."""

    email: Email
    password: Password
    code: Annotated[str, Field(pattern=r"^([0-9]{6})?$")] = ""
    """Six digits of the second factor, where the account asks for them."""
    recovery_code: RecoveryCode = ""
    """Stands in for the second factor, once."""
    tenant: Label | None = None


class Refresh(Body):
    """The refresh token of the answer before."""

    refresh_token: Opaque


class Tokens(View):
    """An access token for the API and a refresh token for the next one."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a type's name
    expires_in: int
    """Seconds for which the access token is good."""
    refresh_token: str

    @classmethod
    def of(cls, issued: Issued) -> Self:
        """The answer for fresh tokens."""
        return cls(
            access_token=issued.access_token,
            expires_in=int(issued.lifetime.total_seconds()),
            refresh_token=issued.refresh_token,
        )


class AccountView(View):
    """The account of whoever asks, in the tenant of their token."""

    id: UUID
    email: str
    email_verified: bool
    display_name: str
    locale: str
    tenant: str
    roles: list[str]
    scopes: list[str]


class Scope(Body):
    """Where a role holds; neither field means the whole tenant."""

    course: Label | None = None
    cohort: Label | None = None

    @model_validator(mode="after")
    def _one_at_most(self) -> Self:
        if self.course and self.cohort:
            raise ValueError("Name a course or a cohort, not both.")
        return self


class HeldRole(Body):
    """A role with its scope and its end."""

    role: Role
    scope: Scope = Field(default_factory=Scope)
    until: datetime | None = None

    @model_validator(mode="after")
    def _aware(self) -> Self:
        if self.until is not None and self.until.tzinfo is None:
            raise ValueError("Give the end with its time zone.")
        return self

    def assignment(self) -> Assignment:
        """As the domain has it."""
        return Assignment(self.role, self.scope.course, self.scope.cohort, self.until)

    @classmethod
    def of(cls, held: Assignment) -> Self:
        """As clients see it."""
        scope = Scope(course=held.course, cohort=held.cohort)
        return cls(role=held.role, scope=scope, until=held.until)


class Admission(Body):
    """Somebody whom an administrator lets in."""

    email: Email
    display_name: Name
    locale: Locale = "en"
    roles: tuple[Role, ...] = (Role.LEARNER,)
    password: Password | None = None


class Roles(Body):
    """All roles that a member is to hold."""

    roles: Annotated[list[HeldRole], Field(max_length=200)]


class RolesView(View):
    """All roles that a member holds."""

    roles: list[HeldRole]


class Roster(Body):
    """A class list."""

    csv: Annotated[str, Field(min_length=1, max_length=200_000)]
    """Lines of `email,displayName,roles,locale` after a line with these names; the last two may be
    left out, roles are separated by spaces."""


class RosterLine(View):
    """What became of one line, the first being the header."""

    line: int
    email: str
    outcome: Literal["admitted", "unchanged", "refused"]
    message: str
    """Why it was refused; else empty."""


class RosterReport(View):
    """What became of a roster, line by line."""

    dry_run: bool
    lines: list[RosterLine]


class MembershipChange(Body):
    """How a member is to stand to the tenant."""

    status: MembershipStatus


class AccountChange(Body):
    """Whether an account is to let its holder in."""

    status: Literal["active", "disabled"]


class MemberView(View):
    """A member of the tenant, as administrators see them."""

    user_id: UUID
    email: str
    email_verified: bool
    display_name: str
    status: str
    roles: list[HeldRole]

    @classmethod
    def of(cls, member: Member) -> Self:
        """As administrators see them."""
        return cls(
            user_id=member.account.id,
            email=member.account.email,
            email_verified=member.account.is_verified,
            display_name=member.account.display_name,
            status=member.status.value,
            roles=[HeldRole.of(one) for one in member.assignments],
        )
