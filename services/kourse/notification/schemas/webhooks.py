"""Webhooks over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from kourse.kit.http import Body, View
from kourse.notification.domain.kinds import RULES, Kind
from kourse.notification.domain.webhooks import Disabled
from kourse.notification.repository.calls import Delivery, State
from kourse.notification.repository.webhooks import Webhook

_KINDS = frozenset(kind.value for kind in Kind if RULES[kind].in_feed)
_HOOK = "https://hooks.example.org/kourse"
_WORDS = "The calendar of our school"


def _known(kinds: list[str] | None) -> list[str] | None:
    if unknown := sorted(set(kinds or ()) - _KINDS):
        raise ValueError(f"these are no kinds that webhooks get: {', '.join(unknown)}")
    return None if kinds is None else sorted(set(kinds))


Url = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Kinds = Annotated[list[str] | None, AfterValidator(_known)]


class NewWebhook(Body):
    """Where somebody wants to be called."""

    url: Url = Field(description="Address; https.", examples=[_HOOK])
    description: Words = Field("", description="What it is, for oneself.", examples=[_WORDS])
    kinds: Kinds = Field(
        None,
        max_length=len(_KINDS),
        description="Kinds of notifications that it gets; null for all.",
        examples=[["exam-graded"]],
    )


class WebhookChange(Body):
    """What is to change; what is left out stays."""

    url: Url = Field(_HOOK, description="Address; https.", examples=[_HOOK])
    description: Words = Field("", description="What it is, for oneself.", examples=[_WORDS])
    kinds: Kinds = Field(
        None,
        max_length=len(_KINDS),
        description="Kinds of notifications that it gets; null for all.",
        examples=[["exam-graded"]],
    )
    enabled: bool = Field(
        True, description="Whether it is called; true calls it as if it had never failed."
    )

    def values(self) -> dict[str, Any]:
        """What was sent."""
        return self.model_dump(exclude_unset=True)


class WebhookView(View):
    """A webhook as its owner sees it."""

    id: UUID
    url: str = Field(examples=[_HOOK])
    description: str = Field(examples=[_WORDS])
    kinds: list[str] | None = Field(examples=[["exam-graded"]])
    """Kinds of notifications that it gets; null for all."""
    created_at: datetime
    disabled: Disabled | None
    """Why it is not called: by its owner's wish, because it failed for long, or because it is gone."""
    disabled_at: datetime | None
    failing_since: datetime | None
    """When the failures without a success since began."""
    failures: int
    """How many there were."""
    former_secret_until: datetime | None
    """Until when the secret before the last rotation signs too."""

    @classmethod
    def of(cls, webhook: Webhook) -> Self:
        """Without its secret."""
        return cls(
            id=webhook.id,
            url=webhook.url,
            description=webhook.description,
            kinds=None if webhook.kinds is None else list(webhook.kinds),
            created_at=webhook.created_at,
            disabled=webhook.disabled,
            disabled_at=webhook.disabled_at,
            failing_since=webhook.failing_since,
            failures=webhook.failures,
            former_secret_until=webhook.former_until,
        )


class WebhookSecret(View):
    """A webhook with a new secret, which is shown this once."""

    webhook: WebhookView
    secret: str | None = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    """Verifies `webhook-signature` (Standard Webhooks); null in the answer to a repeat."""


class DeliveryView(View):
    """A message to a webhook, and what came of it."""

    id: UUID
    """Also `webhook-id`, the same in each attempt."""
    type: str = Field(examples=["notification.exam-graded"])
    """What it tells."""
    state: State
    attempts: int
    created_at: datetime
    due_at: datetime | None
    """When the next attempt is, while it is pending."""
    outcome: str | None = Field(examples=["accepted"])
    """What came of the last attempt, in a word."""
    status: int | None = Field(examples=[204])
    """HTTP status of the last answer."""
    took_ms: int | None
    """Time that the last attempt took, in milliseconds."""
    settled_at: datetime | None

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """As the webhook's owner sees it."""
        is_pending = delivery.state is State.PENDING
        return cls(
            id=delivery.id,
            type=f"notification.{delivery.kind.value}" if delivery.kind else "webhook.test",
            state=delivery.state,
            attempts=delivery.attempts,
            created_at=delivery.created_at,
            due_at=delivery.due_at if is_pending else None,
            outcome=delivery.outcome,
            status=delivery.status,
            took_ms=delivery.took_ms,
            settled_at=delivery.settled_at,
        )
