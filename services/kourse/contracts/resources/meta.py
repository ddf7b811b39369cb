"""The vocabulary that the four custom resources share.

Field constraints become the structural schema of the CRD, ``cel_rules`` become its
``x-kubernetes-validations``, docstrings and ``description`` become its documentation. There are no
floats (shares are whole percents, measured values decimal strings) and no free-form maps, as the
Kubernetes API conventions ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

GROUP = "kourse.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FINALIZER = f"{GROUP}/operator"
PAUSED_ANNOTATION = f"{GROUP}/paused"
ADOPT_ANNOTATION = f"{GROUP}/adopt"
FORCE_DELETE_ANNOTATION = f"{GROUP}/force-delete"
MAX_OBJECT_BYTES = 200 * 1024
"""An object above this is refused with a condition: client-side apply stores a second copy and fails at 256 KiB."""

_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"


@dataclass(frozen=True)
class CelRule:
    """One ``x-kubernetes-validations`` entry: a CEL expression and the sentence shown when it is false.

    ``optional_old_self`` lets a transition rule also run when the field was absent before.
    """

    rule: str
    message: str
    field_path: str = ""
    optional_old_self: bool = False


class Document(BaseModel):
    """Base of every part of a spec or status: camelCase on the wire, unknown fields refused, immutable."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        defer_build=True,
    )
    cel_rules: ClassVar[tuple[CelRule, ...]] = ()
    list_map_keys: ClassVar[dict[str, str]] = {}
    """Python name of a list field -> wire name of the field that keys it (``x-kubernetes-list-type: map``).

    Lists of scalars not named here are sets, lists of objects not named here are atomic.
    """


def _unique(values: list[str]) -> list[str]:
    if len(set(values)) != len(values):
        raise ValueError("entries must be unique")
    return values


Name = Annotated[
    str,
    StringConstraints(pattern=_LABEL, min_length=1, max_length=63),
    Field(description="A DNS label without dots, stable for ever."),
]
"""A resource's name or a stable key inside one."""
Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    Field(description="What people see as its name."),
]
Paragraph = Annotated[
    str, StringConstraints(min_length=1, max_length=4000), Field(description="Text in Markdown.")
]
Markdown = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40000),
    Field(description="Long text in Markdown (CommonMark)."),
]
Percent = Annotated[int, Field(ge=0, le=100, description="Whole percent.")]
Points = Annotated[int, Field(ge=0, le=10000, description="Points.")]
Decimal = Annotated[
    str,
    StringConstraints(pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,12})?(e-?[0-9]{1,2})?$", max_length=30),
    Field(description="A decimal number, written as a string so that it stays exact."),
]
TimeZone = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_+/-]+$", min_length=1, max_length=64),
    Field(description="An IANA time zone name, for example Europe/Lisbon."),
]
"""Whether the zone exists is checked on reconcile."""
LanguageTag = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35),
    Field(description="A BCP 47 language tag, for example en or pt-PT."),
]
Day = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", max_length=10),
    Field(description="A day of the calendar, YYYY-MM-DD.", json_schema_extra={"format": "date"}),
]
LocalDateTime = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?$",
        max_length=25,
    ),
    Field(description="Wall-clock time of the object's time zone, or an instant with an offset."),
]
TimeOfDay = Annotated[
    str,
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5),
    Field(description="A time of day, HH:MM."),
]
Sha256 = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$", min_length=64, max_length=64),
    Field(description="A SHA-256 digest in lower-case hexadecimal."),
]
AssetPath = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$", min_length=1, max_length=200),
    Field(description="A path with forward slashes."),
]
Names = Annotated[
    list[Name],
    Field(max_length=64, description="Names or keys, each once."),
    AfterValidator(_unique),
]
FewNames = Annotated[
    list[Name],
    Field(max_length=8, description="Names or keys, each once."),
    AfterValidator(_unique),
]
"""For lists that a rule compares with another list: the API server prices the product of the limits."""
Tags = Annotated[
    list[Name],
    Field(default_factory=list, max_length=32, description="Words to find it by, each once."),
    AfterValidator(_unique),
]


class Lifecycle(StrEnum):
    """Where a version stands; learners keep the newest Published one while the next is Draft or Review."""

    DRAFT = "Draft"
    REVIEW = "Review"
    PUBLISHED = "Published"
    ARCHIVED = "Archived"


class DeletionPolicy(StrEnum):
    """What deleting the resource does to what learners made with it."""

    RETAIN = "Retain"
    DELETE = "Delete"


class DriftPolicy(StrEnum):
    """What becomes of changes that somebody made by hand to what the resource declares."""

    CORRECT = "Correct"
    REPORT = "Report"


class Moment(Document):
    """A point in time: ``at`` a wall-clock time, or ``day`` days after the run's start at ``time``."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule("has(self.at) != has(self.day)", "give either 'at' or 'day', not both"),
        CelRule("!has(self.time) || has(self.day)", "'time' goes with 'day'"),
    )
    at: LocalDateTime | None = Field(None, description="Wall-clock time in the object's time zone.")
    day: int | None = Field(
        None, ge=0, le=3650, description="Whole days after the day the run starts."
    )
    time: TimeOfDay | None = Field(None, description="Time of that day; 23:59 when left out.")


def _in_order(first: str, second: str) -> CelRule:
    """Two moments in order, as far as one object can tell: both days, or both without an offset."""
    local = r"^[^Z+]{16,19}$"
    both = f"has(self.{first}) && has(self.{second})"
    days = f"has(self.{first}.day) && has(self.{second}.day)"
    walls = (
        f"has(self.{first}.at) && has(self.{second}.at) && "
        f"self.{first}.at.matches('{local}') && self.{second}.at.matches('{local}')"
    )
    return CelRule(
        f"!({both}) || (!({days}) || self.{first}.day <= self.{second}.day) && "
        f"(!({walls}) || self.{first}.at <= self.{second}.at)",
        f"'{second}' must not be before '{first}'",
    )


class Window(Document):
    """When something opens, is due and closes; each may be left out."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        _in_order("opens", "due"),
        _in_order("opens", "closes"),
        _in_order("due", "closes"),
    )
    opens: Moment | None = Field(None, description="Not visible to learners before.")
    due: Moment | None = Field(None, description="Full credit until here.")
    closes: Moment | None = Field(None, description="Nothing is accepted after.")


class LatePolicy(Document):
    """Deduction for work handed in after it was due."""

    grace_minutes: int = Field(
        0, ge=0, le=1440, description="Minutes after the due time without deduction."
    )
    percent_per_day: Percent = Field(
        10, description="Deduction for each day begun, in percent of the points."
    )
    percent_per_hour: Percent | None = Field(
        None,
        description="Deduction for each hour begun, in percent of the points, instead of percentPerDay.",
    )
    max_percent: Percent = Field(
        100, description="Most that lateness takes, in percent of the points."
    )
    floor_percent: Percent = Field(
        0, description="The deduction never takes a score below this percent."
    )
    cut_off_hours: int | None = Field(
        None,
        ge=1,
        le=8760,
        description="Hours after the due time after which nothing is accepted, unless it closes before.",
    )


class Asset(Document):
    """A file sent by ``kourse push-assets``; until the bytes with this digest are there the resource waits."""

    path: AssetPath = Field(description="Path relative to the manifest's folder.")
    sha256: Sha256 = Field(description="Digest of the file's bytes, lower-case hexadecimal.")
    title: Title | None = Field(None, description="What learners see as its name.")


class RubricLevel(Document):
    """One way to have met a criterion."""

    key: Name
    title: Title
    points: Points


class RubricCriterion(Document):
    """What is looked at, with the levels a grader chooses from."""

    list_map_keys: ClassVar[dict[str, str]] = {"levels": "key"}
    key: Name
    title: Title
    levels: list[RubricLevel] = Field(
        min_length=1, max_length=10, description="Ways to meet it, of which a grader picks one."
    )


class Condition(Document):
    """A ``metav1.Condition``."""

    type: str = Field(max_length=63, description="Name of the condition.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: str = Field(
        max_length=64, min_length=1, description="One word in CamelCase for machines."
    )
    message: str = Field(
        "", max_length=2000, description="A sentence for people that says what to do."
    )
    observed_generation: int | None = Field(None, ge=0, description="Generation this was said of.")
    last_transition_time: datetime | None = Field(None, description="When the status last changed.")


class Status(Document):
    """What the operator has realised of a resource."""

    list_map_keys: ClassVar[dict[str, str]] = {"conditions": "type"}
    observed_generation: int | None = Field(
        None, ge=0, description="Generation the conditions speak of."
    )
    conditions: list[Condition] = Field(
        default_factory=list,
        max_length=16,
        description="What holds and what does not, with reasons.",
    )
    version: int | None = Field(
        None, ge=0, description="Number of the content version that is live."
    )
    digest: str | None = Field(
        None, max_length=64, description="SHA-256 of the content that is live."
    )
    id: str | None = Field(None, max_length=36, description="The object's id in the REST API.")
    bucket: str | None = Field(None, max_length=63, description="Bucket that holds its files.")


@dataclass(frozen=True)
class Column:
    """An additional printer column of ``kubectl get``."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0


READY_COLUMN = Column("Ready", '.status.conditions[?(@.type=="Ready")].status')
REASON_COLUMN = Column("Reason", '.status.conditions[?(@.type=="Ready")].reason')
VERSION_COLUMN = Column("Version", ".status.version", "integer")
AGE_COLUMN = Column("Age", ".metadata.creationTimestamp", "date")


@dataclass(frozen=True)
class Kind:
    """One custom resource: its names, its models and the service that owns its documents."""

    kind: str
    plural: str
    singular: str
    short_names: tuple[str, ...]
    owner: str
    spec: type[Document]
    status: type[Status]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    """JSON paths that field selectors may use, for example ``.spec.courseRef``."""
    rules: tuple[CelRule, ...] = ()
    """Rules over the whole object, which see its name; paths begin with ``.spec``."""
