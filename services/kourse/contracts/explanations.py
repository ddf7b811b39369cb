"""Why a learner may or may not do something, rule by rule."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Part(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )


class Rule(_Part):
    """One thing that must hold."""

    rule: str
    """Stable name, kebab-case."""
    holds: bool
    sentence: str
    """What was found."""


class Explanation(_Part):
    """What the service decides when the learner asks now, and by which rules."""

    subject: str
    """As `exam midterm` or `lesson means of statistics`."""
    learner_id: UUID
    allowed: bool
    code: str | None = None
    """Code of the problem that the learner gets, where it is not allowed."""
    detail: str | None = None
    """What the learner is told then."""
    rules: list[Rule] = Field(default_factory=list)
    """In the order in which they are asked; those that depend on one that does not hold are left out."""
