"""What a plan says: what applying documents would do, to rows, to events and to people.

Bodies and answers of the owners' ``plan`` routes, and the JSON that ``kourse plan -o json`` prints.
Within a version of ``schema`` fields are added and never changed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from kourse.contracts.resources.meta import Name, Sha256

SCHEMA = "kourse.dev/plan/v1"
MOST_DOCUMENTS = 200
MOST_FACTS = 2000


class _Part(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
    )


class Action(StrEnum):
    """What an apply would do with a document."""

    CREATE = "create"
    UPDATE = "update"
    REPAIR = "repair"
    UNCHANGED = "unchanged"
    WAIT = "wait"
    REFUSED = "refused"


class Effect(StrEnum):
    """What happens to people."""

    GAIN_ACCESS = "gain-access"
    LOSE_ACCESS = "lose-access"
    KEEP_VERSION = "keep-version"
    GAIN_TIME = "gain-time"
    KEEP_QUESTIONS = "keep-questions"
    ENROL = "enrol"
    KEEP_ENROLMENT = "keep-enrolment"
    UNDECIDED = "undecided"


class Declaration(_Part):
    """A document as its manifest has it."""

    kind: str
    name: Name
    spec: dict[str, Any]
    adopt: bool = False
    """Whether it takes over a name that was made through the REST API."""


class Fact(_Part):
    """An event that an apply would send; its receivers plan as if it had arrived."""

    type: str
    payload: dict[str, Any]


class PlanRequest(_Part):
    """Documents that somebody thinks of applying together."""

    documents: list[Declaration] = Field(default_factory=list, max_length=MOST_DOCUMENTS)
    facts: list[Fact] = Field(default_factory=list, max_length=MOST_FACTS, examples=[[]])
    """What other owners would tell when their part of the documents is applied."""
    files: list[Sha256] = Field(default_factory=list, max_length=10000)
    """Digests of the files that would be sent after the apply."""


class Change(_Part):
    """A field that would have another value."""

    path: str
    """As `spec.zones[main].draws[0].points`; entries of keyed lists by their key."""
    before: Any = None
    """None where there was nothing."""
    after: Any = None
    """None where there would be nothing."""


class RowChange(_Part):
    """Rows of a table that would be written, as the database counted them in the rehearsal."""

    table: str
    inserted: int = 0
    updated: int = 0
    deleted: int = 0


class PeopleEffect(_Part):
    """What would happen to how many people."""

    effect: Effect
    count: int
    sentence: str


class PlanProblem(_Part):
    """Why a document would not be applied, or what would be wrong afterwards."""

    code: str
    message: str
    field: str = ""
    """Path of the field at fault, where it is one."""


class Planned(_Part):
    """What would happen to one document."""

    kind: str
    name: str
    action: Action
    version_before: int | None = None
    version_after: int | None = None
    changes: list[Change] = Field(default_factory=list)
    status: list[Change] = Field(default_factory=list)
    """Fields of the resource's status that would differ, as `points`."""
    rows: list[RowChange] = Field(default_factory=list)
    people: list[PeopleEffect] = Field(default_factory=list)
    pending: list[str] = Field(default_factory=list)
    """What it would still wait for after the apply."""
    problems: list[PlanProblem] = Field(default_factory=list)
    spec_before: dict[str, Any] | None = None
    """The document that is in force now, or None."""


class PlanView(_Part):
    """What an owner says to a plan."""

    tenant: str
    bucket_prefix: str
    objects: list[Planned]
    facts: list[Fact]
