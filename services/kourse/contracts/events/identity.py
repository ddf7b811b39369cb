"""Facts about accounts. An address or a code never travels: who needs it asks with an id."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from kourse.contracts.events.catalog import Event, Stream, event
from kourse.contracts.events.fields import ActorId, DeliveryId, Locale, UserId, personal


@event(
    "identity.user.registered",
    stream=Stream.USER,
    subject="user_id",
    to=("profile", "notification"),
)
class UserRegistered(Event):
    """A person has an account and is a member of the tenant."""

    user_id: UserId
    display_name: Annotated[str, personal("What the person wants to be called.", "Ana Marques")]
    locale: Locale = "en"


@event(
    "identity.verification.requested", stream=Stream.USER, subject="user_id", to=("notification",)
)
class VerificationRequested(Event):
    """An e-mail address is to be verified; the code is redeemed with the delivery id."""

    user_id: UserId
    delivery_id: DeliveryId
    locale: Locale = "en"


@event("identity.email.verified", stream=Stream.USER, subject="user_id", to=("notification",))
class EmailVerified(Event):
    """An account's address was shown to be its holder's; mail may go there from now on."""

    user_id: UserId


@event("identity.email.changed", stream=Stream.USER, subject="user_id", to=("notification",))
class EmailChanged(Event):
    """An account has another address, which was verified; the former one is warned."""

    user_id: UserId
    delivery_id: Annotated[
        UUID, Field(description="Redeemed for the former address, to which the warning goes.")
    ]
    locale: Locale = "en"


@event("identity.reset.requested", stream=Stream.USER, subject="user_id", to=("notification",))
class ResetRequested(Event):
    """Somebody asked to reset the account's password; the link is redeemed with the delivery id."""

    user_id: UserId
    delivery_id: DeliveryId
    locale: Locale = "en"


@event("identity.password.reset", stream=Stream.USER, subject="user_id", to=("notification",))
class PasswordReset(Event):
    """An account's password was reset; every session of it has ended."""

    user_id: UserId


@event("identity.password.changed", stream=Stream.USER, subject="user_id", to=("notification",))
class PasswordChanged(Event):
    """The holder of an account changed its password; every other session has ended."""

    user_id: UserId


@event("identity.user.locked", stream=Stream.USER, subject="user_id")
class UserLocked(Event):
    """Too many failed log-ins: the account lets nobody in until the lock ends."""

    user_id: UserId
    until: Annotated[
        datetime | None, Field(description="End of the lock (UTC); null: until somebody lifts it.")
    ] = None


@event("identity.user.unlocked", stream=Stream.USER, subject="user_id")
class UserUnlocked(Event):
    """An administrator lifted an account's lock."""

    user_id: UserId
    actor_id: ActorId


@event("identity.user.disabled", stream=Stream.USER, subject="user_id")
class UserDisabled(Event):
    """An account or its membership was disabled; its sessions have ended, its data stay."""

    user_id: UserId
    actor_id: ActorId


@event("identity.user.enabled", stream=Stream.USER, subject="user_id")
class UserEnabled(Event):
    """A disabled account or membership may be used again."""

    user_id: UserId
    actor_id: ActorId


@event(
    "identity.user.deleted",
    stream=Stream.USER,
    subject="user_id",
    to=("profile", "course", "assessment", "notification", "dashboard"),
)
class UserDeleted(Event):
    """An account is gone; whoever holds data of it makes them pseudonymous."""

    user_id: UserId


class HeldRole(BaseModel):
    """A role with the part of the tenant in which it counts."""

    role: Annotated[str, Field(description="Name of the role.", examples=["teacher"])]
    course: Annotated[
        str | None,
        Field(
            description="Name of the course that it is limited to, or null.",
            examples=["statistics"],
        ),
    ] = None
    cohort: Annotated[
        str | None,
        Field(
            description="Name of the cohort that it is limited to, or null.", examples=["autumn"]
        ),
    ] = None
    until: Annotated[datetime | None, Field(description="Its end (UTC); null: none.")] = None


@event("identity.roles.assigned", stream=Stream.USER, subject="user_id")
class RolesAssigned(Event):
    """A member's roles were assigned anew: these and no others; earlier access tokens no longer count."""

    user_id: UserId
    actor_id: ActorId
    roles: Annotated[list[HeldRole], Field(description="Every role that the member holds.")]


@event("identity.session.compromised", stream=Stream.USER, subject="user_id", to=("notification",))
class SessionCompromised(Event):
    """A refresh token was used twice, so one of the two was stolen; its session has ended."""

    user_id: UserId


@event("identity.factor.added", stream=Stream.USER, subject="user_id", to=("notification",))
class FactorAdded(Event):
    """An account asks for a second factor from now on."""

    user_id: UserId


@event("identity.factor.removed", stream=Stream.USER, subject="user_id", to=("notification",))
class FactorRemoved(Event):
    """An account does without a second factor from now on."""

    user_id: UserId
    actor_id: ActorId


@event("identity.token.created", stream=Stream.USER, subject="user_id", to=("notification",))
class TokenCreated(Event):
    """Somebody made a personal access token, with which programs act in their name until it ends."""

    user_id: UserId
    grant_id: Annotated[UUID, Field(description="Id of the personal access token.")]
    expires_at: Annotated[datetime, Field(description="Its end (UTC).")]


@event(
    "identity.invitation.created",
    stream=Stream.INVITATION,
    subject="invitation_id",
    to=("notification",),
)
class InvitationCreated(Event):
    """Somebody is invited to the tenant; address and link are redeemed with the delivery id."""

    invitation_id: Annotated[UUID, Field(description="Id of the invitation.")]
    delivery_id: DeliveryId
    locale: Locale = "en"


@event(
    "identity.invitation.accepted",
    stream=Stream.INVITATION,
    subject="invitation_id",
    to=("profile",),
)
class InvitationAccepted(Event):
    """The invited person is a member with the role; a learner of a cohort is to be in the cohort too."""

    invitation_id: Annotated[UUID, Field(description="Id of the invitation.")]
    user_id: UserId
    role: Annotated[str, Field(description="Name of the role.", examples=["learner"])]
    cohort: Annotated[
        str | None,
        Field(description="Name of the cohort that the role is for, or null.", examples=["autumn"]),
    ] = None
