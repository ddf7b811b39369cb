"""Bases of what goes in and out: camelCase on the wire, snake_case in code."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Body(BaseModel):
    """Base of request bodies; a field that is not known is refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class View(BaseModel):
    """Base of answers."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    """Path of the field, with dots: `answers.0.value`."""
    pointer: str
    """JSON pointer into the body (`#/answers/0/value`), or `query`, `path`, `header` and the name."""
    message: str
    """What is expected there."""


class Problem(BaseModel):
    """A failure, by RFC 9457."""

    model_config = ConfigDict(extra="allow")

    type: str
    """URI of the kind of failure; its last part is `code`."""
    title: str
    """The same sentence for every occurrence."""
    status: int
    """The HTTP status."""
    detail: str
    """What happened here and what to do about it."""
    instance: str
    """Id of this request, as in the logs."""
    code: str
    """Stable identifier of the kind of failure."""
    errors: list[FieldError] | None = None
    """The wrong fields, where the failure is about fields."""
