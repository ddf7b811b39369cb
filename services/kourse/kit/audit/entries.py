"""What is told to the audit trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

DONE = "done"
REFUSED = "refused"
DENIED = "access.denied"
"""Act of somebody who tried what their permissions do not allow."""
NOBODY = "anonymous"


@dataclass(frozen=True)
class Entry:
    """Something that was done or refused.

    Attributes:
        id: Its own; told twice, it counts once.
        tenant: Where.
        at: When.
        actor: Id of who acted, or a word where that is no account: ``anonymous``, ``service:course``.
        action: What, as ``auth.login``.
        target: Id or address of what it was done to, or "".
        outcome: ``done`` or ``refused``.
        detail: More facts, none of them personal or secret.
        correlation: Id of the request, as in logs.
        address: Network address of whoever asked, or "".
    """

    id: UUID
    tenant: str
    at: datetime
    actor: str
    action: str
    target: str = ""
    outcome: str = DONE
    detail: Mapping[str, Any] = field(default_factory=dict)
    correlation: str = ""
    address: str = ""


class Trail(Protocol):
    """Where entries go."""

    async def append(self, entries: Sequence[Entry]) -> None:
        """The entries are in the trail; those that were there already are there once.

        Raises:
            KourseError: They may not be, so they have to be told again.
        """
        ...
