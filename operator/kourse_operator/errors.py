"""Failures that only the operator knows."""

from __future__ import annotations

from typing import ClassVar

from kourse.contracts.errors import Conflict


class BindingMismatch(Conflict):
    """Something at the broker has the right name and the wrong properties."""

    code = "binding-mismatch"
    title = "Something at the broker has this name but other properties."
    reason: ClassVar[str] = "BindingMismatch"
