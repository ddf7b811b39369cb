"""What people send and see of their own account."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from kourse.identity.repository.families import OpenSession
from kourse.identity.schemas.people import Email, Label, Opaque, Password, RecoveryCode
from kourse.identity.service.confirming import Confirmation
from kourse.kit.http import Body, View

Code = Annotated[str, Field(pattern=r"^[0-9]{6}$")]


class ResetRequest(Body):
    """Somebody forgot the password of this address."""

    email: Email
    tenant: Label | None = None


class Reset(Body):
    """The token of the link that came by mail, and a new password."""

    token: Opaque
    password: Password


class Confirmed(Body):
    """What shows that it is the holder of the account who asks, not somebody at their open screen."""

    password: Password
    """The password in force."""
    code: Annotated[str, Field(pattern=r"^([0-9]{6})?$")] = ""
    """Six digits of the second factor, where the account asks for them."""
    recovery_code: RecoveryCode = ""
    """Stands in for the second factor, once."""

    def confirmation(self) -> Confirmation:
        """As the use cases have it."""
        return Confirmation(self.password, self.code, self.recovery_code)


class PasswordChange(Confirmed):
    """A new password."""

    new_password: Password


class EmailChange(Confirmed):
    """A new address."""

    new_email: Email


class EmailCode(Body):
    """The code that came to the new address."""

    code: Code


class FactorCode(Body):
    """The code that the application shows now."""

    code: Code


class FactorOffer(View):
    """A secret for an authenticator application, as text and as the address of a QR code."""

    secret: str
    address: str


class RecoveryCodes(View):
    """Shown once; each stands in for the second factor once."""

    codes: list[str]


class SessionView(View):
    """A session, as its holder sees it."""

    id: str
    tenant: str
    client: str
    """What the client said of itself at log-in."""
    opened_at: datetime
    used_at: datetime
    """Last log-in or refresh."""
    ends_at: datetime
    current: bool

    @classmethod
    def of(cls, session: OpenSession, current: str) -> Self:
        """As its holder sees it."""
        return cls(
            id=session.id,
            tenant=session.tenant,
            client=session.client,
            opened_at=session.opened_at,
            used_at=session.used_at,
            ends_at=session.ends_at,
            current=session.id == current,
        )


class Sessions(View):
    """Every session of an account."""

    items: list[SessionView]
