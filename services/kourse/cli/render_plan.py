"""A plan as text for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from kourse.cli.plans import ERRORS, DirectoryPlan, Entry
from kourse.contracts.plans import Action, Change, Planned, RowChange

MARKS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPAIR: "~",
    Action.UNCHANGED: "=",
    Action.WAIT: "!",
    Action.REFUSED: "!",
}
SUMS = {
    Action.CREATE: "to create",
    Action.UPDATE: "to change",
    Action.REPAIR: "to repair",
    Action.UNCHANGED: "as declared",
    Action.WAIT: "waiting",
    Action.REFUSED: "refused",
}
HEADLINES = {
    Action.UPDATE: "",
    Action.REPAIR: "differs from what was applied, and is repaired",
    Action.UNCHANGED: "as declared",
    Action.WAIT: "waits for something that is not there",
    Action.REFUSED: "is refused",
}
MOST_CHARS = 60
MOST_CHANGES = 20
_LABEL = 10


def lines(plan: DirectoryPlan, *, every_field: bool = False) -> Iterator[str]:
    """The plan, a line at a time.

    Args:
        plan: What to show.
        every_field: Whether all changed fields are named, however many there are.
    """
    limit = None if every_field else MOST_CHANGES
    for entry in plan.entries:
        if entry.planned.action is not Action.UNCHANGED or entry.planned.people:
            yield from _entry(entry, limit)
            yield ""
    counted = [f"{count} {SUMS[one]}" for one in Action if (count := plan.counts[one])]
    yield f"Plan for {plan.tenant or 'nobody'}: {', '.join(counted) or 'nothing declared'}."


def differences(plan: DirectoryPlan) -> Iterator[str]:
    """Only the fields that differ, each with its value in force and its declared one."""
    for entry in plan.entries:
        one = entry.planned
        if one.action in ERRORS:
            yield from _entry(entry, None)
        elif one.action is Action.CREATE:
            yield f"+ {one.kind}/{one.name}  is not there"
        elif one.changes:
            yield f"~ {one.kind}/{one.name}"
            yield from (f"    {_change(change)}" for change in one.changes)


def _entry(entry: Entry, limit: int | None) -> Iterator[str]:
    one = entry.planned
    yield f"{MARKS[one.action]} {one.kind}/{one.name}  {_headline(one)}".rstrip()
    for label, said in (
        ("", _problems(one)),
        ("", _some(one.changes, limit)),
        ("status", map(_change, one.status)),
        ("people", (effect.sentence for effect in one.people)),
        ("rows", _rows(one.rows)),
        ("also", (f"{each.change} {each.what}" for each in entry.infrastructure)),
        ("files", _files(entry)),
        ("waits", one.pending),
        ("note", entry.notes),
    ):
        for text in said:
            yield f"    {label:<{_LABEL}}{text}" if label else f"    {text}"


def _headline(one: Planned) -> str:
    before, after = one.version_before, one.version_after
    if one.action is Action.CREATE:
        return f"version {after}" if after else "new"
    if one.action is Action.UPDATE and after is not None:
        return f"version {after} stays" if before == after else f"version {before} → {after}"
    return HEADLINES[one.action]


def _problems(one: Planned) -> Iterator[str]:
    for problem in one.problems:
        yield f"{problem.field}: {problem.message}" if problem.field else problem.message


def _some(changes: list[Change], limit: int | None) -> Iterator[str]:
    shown = changes if limit is None else changes[:limit]
    yield from map(_change, shown)
    if left := len(changes) - len(shown):
        yield f"and {left} more fields; --all names them"


def _change(change: Change) -> str:
    before, after = _value(change.before), _value(change.after)
    if change.before is None:
        return f"{change.path} {after}"
    if change.after is None:
        return f"{change.path} {before} → nothing"
    if before == after:
        before, after = _size(change.before), _size(change.after)
    return f"{change.path} {before} → {after}"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_CHARS else f"{text[: MOST_CHARS - 1]}…"


def _size(value: Any) -> str:
    """What stands for long values that differ only further on."""
    return f"{_value(value)} ({len(json.dumps(value, ensure_ascii=False))} characters)"


def _rows(rows: Iterable[RowChange]) -> Iterator[str]:
    parts = []
    for row in rows:
        counts = {"new": row.inserted, "changed": row.updated, "gone": row.deleted}
        said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        parts.append(f"{row.table} {said}")
    if parts:
        yield "; ".join(parts)


def _files(entry: Entry) -> Iterator[str]:
    if entry.files and entry.planned.action is not Action.UNCHANGED:
        yield f"{entry.files} declared; those that are missing are sent after the apply"
