"""Failures that only the operator knows."""

from __future__ import annotations

from typing import ClassVar

from kourse.contracts.errors import Conflict, Unavailable


class BindingMismatch(Conflict):
    """Something at the broker has the right name and the wrong properties."""

    code = "binding-mismatch"
    title = "Something at the broker has this name but other properties."
    reason: ClassVar[str] = "BindingMismatch"


class Outdated(Unavailable):
    """The object has changed since the state that a write was decided on."""

    code = "outdated"
    title = "The object has changed meanwhile."


class NotLeading(Unavailable):
    """This process does not hold the lease, or not surely enough to write anything."""

    code = "not-leading"
    title = "Another process leads."


class LeadershipLost(Exception):
    """The lease could not be renewed in time, or another process has it: this one must end."""
