"""What profile does when siblings report facts."""

from __future__ import annotations

from typing import Any

from kourse.contracts.events import (
    ContentPublished,
    InvitationAccepted,
    UserDeleted,
    UserRegistered,
)
from kourse.kit.inbox import Delivery, Handlers
from kourse.profile.service import declaring, joining, people

handlers = Handlers("profile")


@handlers.on(UserRegistered)
async def on_user_registered(tx: Any, event: UserRegistered, _: Delivery) -> None:
    """Makes the new member's profile."""
    await people.welcome(tx, event)


@handlers.on(InvitationAccepted)
async def on_invitation_accepted(tx: Any, event: InvitationAccepted, _: Delivery) -> None:
    """Whoever was invited to a class is in it."""
    await joining.join_invited(tx, event)


@handlers.on(ContentPublished)
async def on_content_published(tx: Any, event: ContentPublished, _: Delivery) -> None:
    """Knows the course, and wakes cohorts that waited for it."""
    await declaring.keep_course(tx, event)


@handlers.on(UserDeleted)
async def on_user_deleted(tx: Any, event: UserDeleted, _: Delivery) -> None:
    """Forgets what says something of the person."""
    await people.forget(tx, event)
