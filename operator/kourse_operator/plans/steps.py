"""What a plan is made of: a bucket and things at the broker, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Bucket:
    """A private, versioned bucket.

    Attributes:
        name: Its name at the object store.
        old_versions_days: Days after which a replaced or deleted version of an object goes.
        unfinished_days: Days after which an upload that never finished goes.
        holds_files: Whether files are declared that must be in it.
    """

    name: str
    old_versions_days: int = 90
    unfinished_days: int = 7
    holds_files: bool = False


@dataclass(frozen=True)
class Exchange:
    """A durable exchange."""

    name: str
    type: Literal["topic", "headers"] = "topic"


@dataclass(frozen=True)
class Queue:
    """A durable queue."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Binding:
    """From an exchange to a queue or another exchange."""

    source: str
    destination: str
    to: Literal["queue", "exchange"] = "queue"
    key: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)


Wire = Exchange | Queue | Binding


@dataclass(frozen=True)
class Drift:
    """Something that is not as it was made.

    Attributes:
        what: What it is.
        found: Its value now.
        wanted: The value that follows from the declaration.
    """

    what: str
    found: str
    wanted: str

    def __str__(self) -> str:
        return f"{self.what}: {self.found} instead of {self.wanted}"


@dataclass(frozen=True)
class Plan:
    """What an object needs besides its rows.

    Attributes:
        bucket: Its bucket, or None.
        wires: What must be at the broker, in order of creation.
        cut: What must not be at the broker any more.
        feeds: Whether the kind has anything at the broker at all, now or with another spec.
        status: Fields of the status that follow from the plan.
    """

    bucket: Bucket | None = None
    wires: tuple[Wire, ...] = ()
    cut: tuple[Wire, ...] = ()
    feeds: bool = False
    status: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """Whom a plan is made for.

    Attributes:
        tenant: The tenant that the namespace stands for.
        name: Name of the object.
        bucket_prefix: Start of every bucket's name.
        status: The status as it stands, which remembers what a former spec had.
    """

    tenant: str
    name: str
    bucket_prefix: str = "kourse"
    status: Mapping[str, Any] = field(default_factory=dict)
