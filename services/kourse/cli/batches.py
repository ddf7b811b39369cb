"""Splits manifests into requests: what refers to each other goes together, the rest apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain

from pydantic import ValidationError

from kourse.cli.manifests import Manifest
from kourse.cli.wires import references
from kourse.contracts.resources import EXAM_CONFIG, QUESTION_POOL, ExamConfigSpec

SIZE = 20
"""Objects in one request, so that its answer comes within the gateway's time."""


def batches(manifests: Sequence[Manifest], size: int = SIZE) -> list[list[Manifest]]:
    """The manifests in groups of about ``size``; groups that refer to each other are never split."""
    found: list[list[Manifest]] = []
    for group in _groups(manifests):
        if found and len(found[-1]) + len(group) <= size:
            found[-1].extend(group)
        else:
            found.append(list(group))
    return found


def _groups(manifests: Sequence[Manifest]) -> list[list[Manifest]]:
    """Manifests that are connected by what they name, in the order of their first one."""
    labels = {label for one in manifests for label in _drawn(one)}
    group_of: dict[str, list[Manifest]] = {}
    for one in manifests:
        names = [f"{one.kind}/{one.name}", *_named(one, labels)]
        groups = {id(group): group for name in names if (group := group_of.get(name)) is not None}
        merged = [*chain.from_iterable(groups.values()), one]
        for name in names:
            group_of[name] = merged
        for name, group in group_of.items():
            if id(group) in groups:
                group_of[name] = merged
    order = {id(one): place for place, one in enumerate(manifests)}
    unique = {id(group): group for group in group_of.values()}
    inside = [sorted(group, key=lambda one: order[id(one)]) for group in unique.values()]
    return sorted(inside, key=lambda group: order[id(group[0])])


def _named(one: Manifest, labels: Collection[str]) -> Iterable[str]:
    """What the manifest refers to; pools by the labels that exams draw by."""
    try:
        yield from (f"{kind}/{name}" for kind, name in references(one.kind, one.spec))
    except ValidationError:
        return
    if one.kind == QUESTION_POOL.kind:
        yield from (f"label/{label}" for label in one.spec.get("labels", ()) if label in labels)
    yield from (f"label/{label}" for label in _drawn(one))


def _drawn(one: Manifest) -> Iterable[str]:
    """Labels by which an exam draws."""
    if one.kind != EXAM_CONFIG.kind:
        return
    try:
        spec = ExamConfigSpec.model_validate(one.spec)
    except ValidationError:
        return
    for zone in spec.zones:
        yield from (draw.pool_label for draw in zone.draws if draw.pool_label)
