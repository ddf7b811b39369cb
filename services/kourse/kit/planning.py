"""Plans documents for the service that owns them, by rehearsing them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import DependencyNotReady, Invalid, KourseError
from kourse.contracts.events import CATALOG, Event
from kourse.contracts.plans import (
    Action,
    Change,
    Declaration,
    Fact,
    PeopleEffect,
    Planned,
    PlanProblem,
    PlanRequest,
    PlanView,
)
from kourse.contracts.resources import BY_KIND
from kourse.kit import documents
from kourse.kit.db import statement
from kourse.kit.documents import Applied, ApplyOne, Doc, OnRefusal, Refused
from kourse.kit.rehearsal import Piece, Rehearsed, rehearse
from kourse.kit.runtime import Runtime
from kourse.rules.changes import differences

Key = tuple[str, str]
"""Kind and name."""
Effects = Mapping[Key, Sequence[PeopleEffect]]
_LAST_EVENT = "SELECT coalesce(max(id), 0) FROM {schema}.outbox"
_EVENTS_AFTER = "SELECT type, payload FROM {schema}.outbox WHERE id > :last ORDER BY id"


class Census(Protocol):
    """Counts people before anything is written; what it returns counts again, and compares."""

    async def __call__(
        self, tx: AsyncSession, changed: Collection[Key], facts: Sequence[Event]
    ) -> Callable[[], Awaitable[Effects]]:
        """Looks at the people whom new or changed documents and siblings' facts may concern."""


@dataclass(frozen=True)
class Rules:
    """How documents of a kind are applied."""

    apply_one: ApplyOne[Any]
    on_refusal: OnRefusal[Any] | None = None


@dataclass(frozen=True)
class Owner:
    """What a service brings to a plan.

    Attributes:
        kinds: How its documents are applied, by kind.
        facts: What it does when siblings tell something, by type of event.
        people: What is known of people before, and then what became of them.
        facts_last: Whether siblings tell of what follows from its documents, not of what they need.
    """

    kinds: Mapping[str, Rules]
    facts: Mapping[type[Event], Callable[[AsyncSession, Any], Awaitable[None]]]
    people: Census
    facts_last: bool = False

    async def hear(self, tx: AsyncSession, facts: Sequence[Event]) -> None:
        """The service knows what siblings tell."""
        for fact in facts:
            if type(fact) in self.facts:
                await self.facts[type(fact)](tx, fact)


async def plan(
    runtime: Runtime,
    tenant: str,
    request: PlanRequest,
    owner: Owner,
    refusal: Callable[[Declaration], KourseError | None] = lambda _: None,
) -> PlanView:
    """What applying the documents would do, by doing it in a transaction that is rolled back.

    Objects that are not in the request are there too when something happens to their people.

    Args:
        runtime: The owner's.
        tenant: Whose documents.
        request: The documents, and what siblings would tell.
        owner: What the service brings.
        refusal: Why the caller may not plan this document, or None.

    Raises:
        Invalid: A fact is no event of the catalog.
        Unavailable: The database is not there.
    """
    facts = [_event(fact) for fact in request.facts]
    refused, pieces = _sorted(request, owner, refusal)
    async with runtime.database.rehearsal(tenant) as tx:
        last = await tx.scalar(statement(tx.info["schema"], _LAST_EVENT))
        effects_of = await owner.people(tx, await _changed(tx, pieces), facts)
        await owner.hear(tx, () if owner.facts_last else facts)
        rehearsed = await rehearse(tx, pieces)
        await owner.hear(tx, facts if owner.facts_last else ())
        people = await effects_of() if facts or any(map(_touches, rehearsed)) else {}
        told = await tx.execute(statement(tx.info["schema"], _EVENTS_AFTER), {"last": last})
        emitted = [Fact(type=row.type, payload=row.payload) for row in told]
    known = refused | {(one.piece.kind, one.piece.doc.name): _planned(one) for one in rehearsed}
    for kind, name in people:
        known.setdefault((kind, name), Planned(kind=kind, name=name, action=Action.UNCHANGED))
    objects = [
        one.model_copy(update={"people": list(people.get(key, ()))}) for key, one in known.items()
    ]
    prefix = runtime.settings.bucket_prefix
    return PlanView(tenant=tenant, bucket_prefix=prefix, objects=objects, facts=emitted)


async def _changed(tx: AsyncSession, pieces: Sequence[Piece]) -> set[Key]:
    """The documents that are not in force as they are."""
    held = {
        (kind, one.name): one.digest
        for kind in sorted({piece.kind for piece in pieces})
        for one in await documents.find_all(tx, kind, [piece.doc.name for piece in pieces])
        if not one.retired
    }
    keys = {(piece.kind, piece.doc.name): piece.doc.spec for piece in pieces}
    return {key for key, spec in keys.items() if held.get(key) != documents.digest_of(spec)}


def _touches(one: Rehearsed) -> bool:
    """Whether anything would be written, so that people may notice."""
    return isinstance(one.result, Applied) and (one.result.changed or bool(one.rows))


def _event(fact: Fact) -> Event:
    kind = CATALOG.get(fact.type)
    if kind is None:
        raise Invalid(f"There is no event {fact.type!r}.")
    try:
        return kind.model.model_validate(fact.payload)
    except ValidationError:
        raise Invalid(f"This is no event {fact.type!r}.") from None


def _sorted(
    request: PlanRequest,
    owner: Owner,
    refusal: Callable[[Declaration], KourseError | None],
) -> tuple[dict[Key, Planned], list[Piece]]:
    """What is refused as it is, and what can be rehearsed."""
    refused: dict[Key, Planned] = {}
    pieces: dict[Key, Piece] = {}
    for one in request.documents:
        key = (one.kind, one.name)
        error = (
            refusal(one) if one.kind in owner.kinds else Invalid(f"{one.kind} is not kept here.")
        )
        if key in pieces:
            error = Invalid(f"{one.kind} {one.name!r} is there twice.")
        problems = [] if error is None else [PlanProblem(code=error.code, message=error.detail)]
        try:
            spec = BY_KIND[one.kind].spec.model_validate(one.spec) if not problems else None
        except ValidationError as found:
            problems = [_problem(item) for item in found.errors()]
            spec = None
        if spec is None:
            pieces.pop(key, None)
            refused[key] = _refused(one.kind, one.name, problems)
            continue
        rules = owner.kinds[one.kind]
        doc = Doc(one.name, spec, "resource", adopt=one.adopt)
        pieces[key] = Piece(one.kind, doc, rules.apply_one, rules.on_refusal)
    return refused, list(pieces.values())


def _refused(kind: str, name: str, problems: list[PlanProblem]) -> Planned:
    return Planned(kind=kind, name=name, action=Action.REFUSED, problems=problems)


def _problem(item: Mapping[str, Any]) -> PlanProblem:
    """One of pydantic's errors; values are left out."""
    path = ".".join(str(part) for part in ("spec", *item["loc"]))
    message = "there is no such field" if item["type"] == "extra_forbidden" else item["msg"]
    return PlanProblem(code="invalid", message=message.removeprefix("Value error, "), field=path)


def _planned(one: Rehearsed) -> Planned:
    kind, doc = one.piece.kind, one.piece.doc
    if isinstance(one.result, Refused):
        error = one.result.error
        waits = isinstance(error, DependencyNotReady)
        return _refused(kind, doc.name, _problems(error)).model_copy(
            update={"action": Action.WAIT if waits else Action.REFUSED}
        )
    changes = _changes(one)
    return Planned(
        kind=kind,
        name=doc.name,
        action=_action(one, one.result, changes),
        version_before=one.before.version if one.before else None,
        version_after=one.result.version,
        changes=changes,
        status=_status(one.before.status if one.before else {}, one.result.status),
        rows=list(one.rows),
        pending=[entry.message for entry in one.result.pending],
        spec_before=one.held.spec if one.held and not one.held.retired else None,
    )


def _problems(error: KourseError) -> list[PlanProblem]:
    named = error.extensions.get("errors") or [{}]
    return [
        PlanProblem(
            code=error.code,
            message=entry.get("message", error.detail),
            field=f"spec.{entry['field']}" if entry.get("field") else "",
        )
        for entry in named
    ]


def _changes(one: Rehearsed) -> list[Change]:
    held, doc = one.held, one.piece.doc
    if held is None or held.retired:
        return []
    found = []
    if held.source != doc.source:
        found.append(Change(path="owner", before=held.source, after=doc.source))
    try:
        before = type(doc.spec).model_validate(held.spec)
    except ValidationError:
        return [*found, Change(path="spec")]
    return [*found, *(Change(**entry._asdict()) for entry in differences(before, doc.spec))]


def _action(one: Rehearsed, applied: Applied, changes: Sequence[Change]) -> Action:
    if one.held is None or one.held.retired:
        return Action.CREATE
    if changes:
        return Action.UPDATE
    return Action.REPAIR if applied.changed else Action.UNCHANGED


def _status(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    return [
        Change(path=name, before=before.get(name), after=after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]
