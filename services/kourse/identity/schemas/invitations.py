"""Invitations on the wire."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field

from kourse.identity.repository.invitations import Invitation
from kourse.identity.schemas.people import Email, HeldRole, Locale, Name, Opaque, Password
from kourse.identity.schemas.people import RecoveryCode as Recovery
from kourse.identity.service.accepting import Newcomer
from kourse.identity.service.confirming import Confirmation
from kourse.identity.service.invitations import Invite
from kourse.kit.http import Body, View

MOST_ADDRESSES = 100
LONGEST_DAYS = 30
Days = Annotated[int, Field(ge=1, le=LONGEST_DAYS, examples=[7])]


class InvitationRequest(HeldRole):
    """People who are asked in by mail, all to the same role."""

    emails: Annotated[list[Email], Field(min_length=1, max_length=MOST_ADDRESSES)]
    locale: Locale = "en"
    """Language of the mail."""
    lifetime_days: Days = 7
    """After which nobody can accept any more."""

    def invite(self) -> Invite:
        """As the use case has it."""
        return Invite(
            emails=list(dict.fromkeys(self.emails)),
            assignment=self.assignment(),
            locale=self.locale,
            lifetime=timedelta(days=self.lifetime_days),
        )


class Renewal(Body):
    """For how long an invitation is to be good from now on."""

    lifetime_days: Days = 7

    def lifetime(self) -> timedelta:
        """As the use case has it."""
        return timedelta(days=self.lifetime_days)


class InvitationToken(Body):
    """The token of the link that came by mail."""

    token: Opaque


class Acceptance(InvitationToken):
    """The token of the link, and who comes."""

    password: Password
    """Of the account that the address has; else the first one of an account that is made."""
    code: Annotated[str, Field(pattern=r"^([0-9]{6})?$")] = ""
    """Six digits of the second factor, where the account asks for them."""
    recovery_code: Recovery = ""
    """Stands in for the second factor, once."""
    display_name: Name
    locale: Locale = "en"

    def newcomer(self) -> Newcomer:
        """As the use case has it."""
        presented = Confirmation(self.password, self.code, self.recovery_code)
        return Newcomer(presented, self.display_name, self.locale)


class InvitationView(View):
    """An invitation, as those see it who may send it."""

    id: UUID
    email: str
    role: HeldRole
    state: Literal["open", "accepted", "revoked", "expired"]
    invited_by: UUID
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, one: Invitation) -> Self:
        """As those see it who may send it."""
        return cls(
            id=one.id,
            email=one.email,
            role=HeldRole.of(one.assignment),
            state=one.state.value,
            invited_by=one.invited_by,
            created_at=one.created_at,
            expires_at=one.expires_at,
        )


class Invitations(View):
    """An open invitation for each address, in their order."""

    items: list[InvitationView]
