"""What a change of documents does to buckets and to the broker, by the operator's own plans."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from kourse.cli.plans import Infrastructure
from kourse.contracts.resources import BY_KIND
from kourse_operator import plans
from kourse_operator.plans.steps import Binding, Exchange, Plan, Queue, Subject, Wire


def infrastructure(
    kind: str,
    name: str,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    *,
    tenant: str,
    bucket_prefix: str,
) -> list[Infrastructure]:
    """What would be created and removed when one spec takes the place of another.

    Args:
        kind: The kind.
        name: The object's name.
        before: The spec in force, or None where there is none.
        after: The spec to come.
        tenant: Whose object.
        bucket_prefix: Start of every bucket's name.
    """
    old = _plan(kind, Subject(tenant, name, bucket_prefix), before)
    subject = Subject(tenant, name, bucket_prefix, status=old.status)
    new = _plan(kind, subject, after)
    then, now = _names(old), _names(new)
    return [
        *(Infrastructure(change="create", what=one) for one in now if one not in then),
        *(Infrastructure(change="remove", what=one) for one in then if one not in now),
    ]


def references(kind: str, spec: dict[str, Any]) -> frozenset[tuple[str, str]]:
    """Kind and name of every object that a spec refers to.

    Raises:
        ValidationError: It is no spec of that kind.
    """
    return plans.references(kind, BY_KIND[kind].spec.model_validate(spec))


def _plan(kind: str, subject: Subject, spec: dict[str, Any] | None) -> Plan:
    if spec is None:
        return Plan()
    try:
        return plans.plan(kind, subject, BY_KIND[kind].spec.model_validate(spec))
    except ValidationError:
        # An older release accepted it; what it has at the broker is found by the operator.
        return Plan()


def _names(plan: Plan) -> list[str]:
    buckets = [f"bucket {plan.bucket.name}"] if plan.bucket else []
    return [*buckets, *map(_name, plan.wires)]


def _name(wire: Wire) -> str:
    match wire:
        case Exchange(name):
            return f"exchange {name}"
        case Queue(name, arguments):
            limits = f" {sorted(arguments.items())}" if arguments else ""
            return f"queue {name}{limits}"
        case Binding(source, destination, _, key, _):
            return f"binding {source} → {destination}{f' ({key})' if key else ''}"
