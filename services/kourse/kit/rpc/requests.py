"""Fields that requests of several services share, read and checked in one way."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from kourse.contracts.errors import Malformed

MOST_LEARNERS = 200
"""Most ids in one batch request."""


def learner_id(text: str) -> UUID:
    """The id of the learner that is asked for.

    Raises:
        Malformed: It is not a UUID.
    """
    return _uuid(text, "learner_id")


def learner_ids(texts: Sequence[str]) -> list[UUID]:
    """The ids that a batch asks for, each once.

    Raises:
        Malformed: One is not a UUID, or there are more than 200.
    """
    if len(texts) > MOST_LEARNERS:
        raise Malformed(f"`learner_ids` names {len(texts)} learners; at most {MOST_LEARNERS} go.")
    return list(dict.fromkeys(_uuid(text, "learner_ids") for text in texts))


def names(texts: Sequence[str]) -> list[str]:
    """The names that a batch asks for, each once.

    Raises:
        Malformed: There are more than 200.
    """
    if len(texts) > MOST_LEARNERS:
        raise Malformed(f"{len(texts)} are named; at most {MOST_LEARNERS} go.")
    return list(dict.fromkeys(texts))


def _uuid(text: str, field: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Malformed(f"`{field}` holds {text[:40]!r}, which is not a UUID.") from None
