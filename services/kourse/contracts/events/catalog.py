"""The machinery of the catalog: what an event is, and how its types are filed and asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from kourse.contracts import names

SCHEMA_BASE = "https://kourse.dev/schemas/"
NO_COHORT = "-"
"""Cohort word of a learner's event outside any cohort; no cohort's feed binds it."""


class Stream(StrEnum):
    """What a sequence is kept for; an event's entity is one of these, and one service writes each."""

    USER = "user"
    INVITATION = "invitation"
    GROUP = "group"
    LEARNER = "learner"
    CONTENT = "content"
    ENROLMENT = "enrolment"
    SUBMISSION = "submission"
    EXAM = "exam"
    ATTEMPT = "attempt"
    GRADABLE = "gradable"
    ACCOMMODATION = "accommodation"
    MASTERY = "mastery"
    PLAYER = "player"
    RISK = "risk"


class Event(BaseModel):
    """Base of all payloads; readers ignore fields that they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    kind: ClassVar[EventType]

    @cached_property
    def entity(self) -> str:
        """Id of the entity in the event's stream: its CloudEvents ``subject``."""
        return str(getattr(self, self.kind.subject))

    def routing_key(self, tenant: str) -> str:
        """Key under which the event enters the events exchange."""
        course = cohort = None
        if not self.kind.private:
            course = getattr(self, "course", None)
            if "cohort" in type(self).model_fields:
                cohort = getattr(self, "cohort", None) or NO_COHORT
        return names.routing_key(
            self.kind.name, tenant, course, cohort, names.partition(self.entity)
        )


@dataclass(frozen=True)
class EventType:
    """One entry of the catalog.

    Attributes:
        name: Wire name.
        version: Major version of the payload.
        stream: The sequence it belongs to.
        subject: Name of the payload field that identifies the entity.
        consumers: In-house consumers that act on it.
        private: Whether outside feeds never get it.
        planned: Whether no service emits it yet, so that its schema binds nobody.
        model: The payload.
        upgrades: By an earlier version, what makes its payload one of the next version.
    """

    name: str
    version: int
    stream: Stream
    subject: str
    consumers: tuple[str, ...]
    private: bool
    planned: bool
    model: type[Event] = field(repr=False)
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict, repr=False)

    def knows(self, version: int) -> bool:
        """Whether payloads of this version can be read."""
        return 1 <= version <= self.version and all(
            step in self.upgrades for step in range(version, self.version)
        )

    def read(self, version: int, body: bytes | str) -> Event:
        """The payload, whichever known version it was written in.

        Raises:
            KeyError: The version is not known.
            pydantic.ValidationError: It is not what the present version says.
            Exception: An upgrade could not make anything of it.
        """
        if version == self.version:
            return self.model.model_validate_json(body)
        if not self.knows(version):
            raise KeyError(version)
        payload = json.loads(body)
        for step in range(version, self.version):
            payload = self.upgrades[step](payload)
        return self.model.model_validate_json(json.dumps(payload))

    @property
    def producer(self) -> str:
        """The service whose outbox it comes from."""
        return self.name.split(".", 1)[0]

    @property
    def dataschema(self) -> str:
        """Identifier of the payload's schema and version."""
        return f"{SCHEMA_BASE}{self.name}/{self.version}"


Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes of one version's payload, as JSON, one of the next version."""
CATALOG: dict[str, EventType] = {}
E = TypeVar("E", bound=Event)


def event(
    type_: str,
    *,
    stream: Stream,
    subject: str,
    to: Iterable[str] = (),
    version: int = 1,
    private: bool = False,
    planned: bool = False,
    upgrades: Mapping[int, Upgrade] = MappingProxyType({}),
) -> Callable[[type[E]], type[E]]:
    """Files a payload class in the catalog.

    Args:
        type_: Wire name, three words, past tense.
        stream: The sequence it belongs to.
        subject: Name of the payload field that identifies the entity.
        to: In-house consumers that act on it.
        version: Major version of the payload.
        private: Whether outside feeds must never get it.
        planned: Whether it is agreed on, but no service emits it yet.
        upgrades: By an earlier version, what makes its payload one of the next version.

    Raises:
        ValueError: The name is taken.
    """

    def file(model: type[E]) -> type[E]:
        if type_ in CATALOG:
            raise ValueError(f"event {type_} is declared twice")
        model.kind = EventType(
            type_, version, stream, subject, tuple(to), private, planned, model, upgrades
        )
        CATALOG[type_] = model.kind
        return model

    return file


def streams_of(consumer: str) -> tuple[Stream, ...]:
    """Streams that a consumer takes whole, in catalog order."""
    return tuple(
        dict.fromkeys(kind.stream for kind in CATALOG.values() if consumer in kind.consumers)
    )


def types_in(streams: Iterable[Stream]) -> tuple[EventType, ...]:
    """Every type of these streams that is emitted or awaited, in catalog order."""
    wanted = set(streams)
    return tuple(
        kind
        for kind in CATALOG.values()
        if kind.stream in wanted and (kind.consumers or not kind.planned)
    )


@cache
def awaited() -> frozenset[str]:
    """Names of the types that queues of the platform take: one that finds no queue is not delivered."""
    streams = {stream for consumer in consumers() for stream in streams_of(consumer)}
    return frozenset(kind.name for kind in types_in(streams))


def producer_of(stream: Stream) -> str:
    """The one service whose outbox holds this stream."""
    return next(kind.producer for kind in CATALOG.values() if kind.stream is stream)


def producers() -> tuple[str, ...]:
    """Every service that emits events, sorted."""
    return tuple(sorted({kind.producer for kind in CATALOG.values() if not kind.planned}))


def producers_for(consumer: str) -> tuple[str, ...]:
    """The other services whose streams a consumer takes, sorted; their archives fill its gaps."""
    found = {producer_of(stream) for stream in streams_of(consumer)}
    return tuple(sorted(found - {consumer}))


def consumers() -> tuple[str, ...]:
    """Every in-house consumer named in the catalog, sorted."""
    return tuple(sorted({name for kind in CATALOG.values() for name in kind.consumers}))


def json_schema(kind: EventType) -> dict[str, Any]:
    """JSON schema of the payload, with what else a type promises in ``$id`` and ``x-`` members."""
    planned = {"x-planned": True} if kind.planned else {}
    return {
        "$id": kind.dataschema,
        **planned,
        "x-stream": kind.stream.value,
        "x-subject": kind.subject,
        "x-private": kind.private,
        **kind.model.model_json_schema(),
    }
