"""What goes in and out of the routes of operations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from kourse.kit.http.models import Body, View

Reason = Annotated[str, Field(min_length=3, max_length=500, description="Why; it is audited.")]


class ParkedSummary(View):
    """An event that was set aside."""

    event_id: UUID
    stream: str
    entity: str
    seq: int
    type: str
    reason: str
    """`poison`: it failed; `blocked`: it waits for one that failed; `gap`: for one that never came."""
    error: str
    tries: int
    parked_at: datetime


class Neighbour(View):
    """Another parked event of the same entity."""

    event_id: UUID
    seq: int
    type: str
    reason: str


class ParkedEvent(ParkedSummary):
    """An event that was set aside, whole, with its place in its sequence."""

    consumer: str
    payload: Any
    headers: dict[str, Any]
    last_seq: int
    """Number of the entity's last event that took effect."""
    missing: int
    """Earlier events of the entity that neither took effect nor are parked."""
    before: list[Neighbour]
    behind: list[Neighbour]


class Act(Body):
    """Whether to act or only to say what would happen."""

    dry_run: bool = False


class Drop(Act):
    """Gives an event up."""

    reason: Reason
    accept_gap: bool = False
    """Skip its number, and those that are missing before it, for good."""


class Outcome(View):
    """What was, or would be, done."""

    done: bool
    """False after a dry run."""
    events: int
    """Events that it concerns."""
    says: str
    """The same as a sentence."""


class Republication(Act):
    """Publishes archived events again."""

    since: datetime
    until: datetime | None = None
    type: str | None = None
    entity: str | None = None
    consumer: str | None = None
    """Straight to this in-house consumer; else to everybody who is bound, outside feeds included."""
    after: int = Field(default=0, ge=0)
    """`next` of the answer before; each request publishes a bounded batch."""


class Republished(Outcome):
    """A batch was published."""

    next: int | None = None
    """Send it as `after` for the next batch; null at the end."""


class DeadLetterView(View):
    """A message that could not even be parked."""

    key: str
    type: str
    tenant: str
    reason: str
    queue: str
    died_at: datetime | None
    size: int
    payload: str


class DeadLetters(View):
    """A consumer's dead letters."""

    items: list[DeadLetterView]
