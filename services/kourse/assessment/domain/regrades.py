"""Regrading an exam whose keys were corrected: what is planned, and which attempts it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from uuid import UUID


class Mode(StrEnum):
    """Whether an attempt may lose points by a regrade."""

    HIGHER_ONLY = "HigherOnly"
    REPLACE = "Replace"


class RegradeState(StrEnum):
    """How far a regrade has come."""

    PLANNED = "PLANNED"
    APPLYING = "APPLYING"
    APPLIED = "APPLIED"


@dataclass(frozen=True, slots=True)
class Regrade:
    """Corrections of an exam's keys, pinned when they were planned.

    Attributes:
        corrections: By question the version whose key counts; None where the question is voided.
        after: The last attempt that was examined, or None.
        examined: Attempts that were looked at while applying.
        changed: Attempts that have another score.
    """

    id: UUID
    exam_id: UUID
    corrections: Mapping[UUID, UUID | None]
    mode: Mode
    reason: str
    actor_id: UUID
    state: RegradeState
    after: UUID | None
    examined: int
    changed: int
    planned_at: datetime
    applied_at: datetime | None


def counts(
    mode: Mode,
    before: Fraction,
    after: Fraction,
    shares_before: Mapping[int, Fraction],
    shares_after: Mapping[int, Fraction],
) -> bool:
    """Whether an attempt's new grading takes the place of its old one.

    Nothing that stays the same is written again. By default only more points count: what was awarded is
    not taken back because an author erred.

    Args:
        mode: What was decided for the exam.
        before: Points of the newest run.
        after: Points by the corrected keys.
        shares_before: Shares of the newest run by slot.
        shares_after: Shares by the corrected keys.
    """
    if mode is Mode.HIGHER_ONLY:
        return after > before
    return dict(shares_before) != dict(shares_after)
