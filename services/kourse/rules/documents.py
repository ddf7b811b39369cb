"""The rules of the custom resources in Python, for the doors that no API server guards.

The Kubernetes API server checks a resource's CEL rules and list keys at admission. A document that
comes through the REST API is checked here, by a twin of every CEL rule, with the same sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from kourse.contracts.errors import Invalid
from kourse.contracts.resources.cohort import CohortSpec, Run, RunDates
from kourse.contracts.resources.course import (
    Adaptivity,
    Alternative,
    CourseSpec,
    Lesson,
    Requirement,
)
from kourse.contracts.resources.meta import Document, Moment, Window

D = TypeVar("D", bound=Document)
MOST_NAMED = 20
"""How many violations an error names; an author mends those and sees the rest."""


@dataclass(frozen=True)
class Violation:
    """A place in a document and what is wrong there.

    Attributes:
        path: Wire names and indexes that lead to it.
        message: A sentence for the author.
    """

    path: tuple[str | int, ...]
    message: str

    @property
    def field(self) -> str:
        """The place in words: ``chapters.0.lessons.2.text``."""
        return ".".join(map(str, self.path))

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer in a fragment (RFC 6901)."""
        return "#" + "".join(f"/{part}" for part in self.path)


Twin = Callable[[Any], dict[str, bool]]
_TWINS: dict[type[Document], Twin] = {}


def twin(document: type[D]) -> Callable[[Callable[[D], dict[str, bool]]], Twin]:
    """Files a function that answers, for each CEL rule of ``document`` by its message, whether it holds.

    Rules that compare with the former object have no twin, as there may be none.
    """

    def file(function: Callable[[D], dict[str, bool]]) -> Twin:
        _TWINS[document] = function
        return function

    return file


def answered(document: Document) -> set[str]:
    """Messages of the rules that are checked here of a document of this class."""
    function = _twin_of(document)
    return set(function(document)) if function else set()


def _twin_of(document: Document) -> Twin | None:
    return next((_TWINS[each] for each in type(document).__mro__ if each in _TWINS), None)


def violations(document: Document) -> list[Violation]:
    """Every rule and list key that the document breaks, in document order."""
    return list(_violations(document, ()))


def require_valid(document: Document) -> None:
    """Returns when the document keeps every rule.

    Raises:
        Invalid: It breaks some; ``errors`` names each place.
    """
    found = violations(document)[:MOST_NAMED]
    if not found:
        return
    errors = [
        {"field": entry.field, "pointer": entry.pointer, "message": entry.message}
        for entry in found
    ]
    sentences = "; ".join(
        f"{entry.field}: {entry.message}" if entry.path else entry.message for entry in found
    )
    raise Invalid(f"{sentences}.", extensions={"errors": errors})


def _violations(document: Document, path: tuple[str | int, ...]) -> Iterator[Violation]:
    yield from _broken_rules(document, path)
    for name, info in type(document).model_fields.items():
        value = getattr(document, name)
        where = (*path, info.alias or name)
        if any("\x00" in text for text in _texts(value)):
            yield Violation(where, "must not contain the character NUL")
        if isinstance(value, Document):
            yield from _violations(value, where)
        elif isinstance(value, list) and value and isinstance(value[0], Document):
            yield from _repeated(value, where, type(document).list_map_keys.get(name))
            for index, entry in enumerate(value):
                yield from _violations(entry, (*where, index))


def _texts(value: object) -> list[str]:
    entries = value if isinstance(value, list) else [value]
    return [entry for entry in entries if isinstance(entry, str)]


def _broken_rules(document: Document, path: tuple[str | int, ...]) -> Iterator[Violation]:
    function = _twin_of(document)
    if function is None:
        return
    holds = function(document)
    for rule in type(document).cel_rules:
        if not holds.get(rule.message, True):
            below = tuple(part for part in rule.field_path.split(".") if part)
            yield Violation((*path, *below), rule.message)


def _repeated(
    entries: Sequence[Document], where: tuple[str | int, ...], key: str | None
) -> Iterator[Violation]:
    if key is None:
        return
    seen = set()
    for index, entry in enumerate(entries):
        value = getattr(entry, _python_name(entry, key))
        if value in seen:
            yield Violation((*where, index, key), f"{value!r} is there twice")
        seen.add(value)


def _python_name(entry: Document, wire: str) -> str:
    fields = type(entry).model_fields.items()
    return next(name for name, info in fields if wire in {info.alias, name})


@twin(Moment)
def _moment(moment: Moment) -> dict[str, bool]:
    return {
        "give either 'at' or 'day', not both": (moment.at is None) != (moment.day is None),
        "'time' goes with 'day'": moment.time is None or moment.day is not None,
    }


@twin(Window)
def _window(window: Window) -> dict[str, bool]:
    pairs = (("opens", "due"), ("opens", "closes"), ("due", "closes"))
    return {
        f"'{later}' must not be before '{first}'": _in_order(
            getattr(window, first), getattr(window, later)
        )
        for first, later in pairs
    }


def _in_order(first: Moment | None, later: Moment | None) -> bool:
    if first is None or later is None:
        return True
    if first.day is not None and later.day is not None and first.day > later.day:
        return False
    if first.at is None or later.at is None or _has_offset(first.at) or _has_offset(later.at):
        return True
    return first.at <= later.at


def _has_offset(time: str) -> bool:
    return any(sign in time[10:] for sign in "Z+-")


@twin(Lesson)
def _lesson(lesson: Lesson) -> dict[str, bool]:
    one = (lesson.text is None) != (lesson.text_file is None)
    return {"give either 'text' or 'textFile', not both": one}


@twin(Adaptivity)
def _adaptivity(bands: Adaptivity) -> dict[str, bool]:
    return {
        "'remediationBelow' must not exceed 'challengeFrom'": (
            bands.remediation_below <= bands.challenge_from
        )
    }


@twin(Alternative)
def _alternative(entry: Alternative) -> dict[str, bool]:
    return {"name exactly one of 'lesson', 'chapter', 'exam' or 'skill'": _named(entry) == 1}


@twin(Requirement)
def _requirement(entry: Requirement) -> dict[str, bool]:
    one = _named(entry) + bool(entry.any_of) == 1
    return {"name exactly one of 'lesson', 'chapter', 'exam', 'skill' or 'anyOf'": one}


def _named(entry: Alternative) -> int:
    asked = (entry.lesson, entry.chapter, entry.exam, entry.skill)
    return sum(name is not None for name in asked)


@twin(CourseSpec)
def _course(spec: CourseSpec) -> dict[str, bool]:
    weights = [category.weight for category in spec.grade_categories]
    categories = {category.key for category in spec.grade_categories}
    chapters = {chapter.key for chapter in spec.chapters}
    skills = {skill.key for skill in spec.skills}
    return {
        "the weights of gradeCategories must add up to 100": (
            not weights or sum(weights) == 100  # noqa: PLR2004 - per cent
        ),
        "every assignment's category must be one of gradeCategories": all(
            entry.category in categories for entry in spec.assignments
        ),
        "every gate's chapter must be one of chapters": all(
            gate.chapter in chapters for gate in spec.gates
        ),
        "every prerequisite of a skill must be the key of a skill": all(
            skills.issuperset(skill.prerequisites) for skill in spec.skills
        ),
        "a skill cannot be its own prerequisite": all(
            skill.key not in skill.prerequisites for skill in spec.skills
        ),
    }


@twin(Run)
def _run(run: Run) -> dict[str, bool]:
    return {"the run must not end before it starts": run.starts <= run.ends}


@twin(RunDates)
def _run_dates(entry: RunDates) -> dict[str, bool]:
    one = (entry.assignment is None) != (entry.exam is None)
    return {"name either an 'assignment' or an 'exam'": one}


@twin(CohortSpec)
def _cohort(spec: CohortSpec) -> dict[str, bool]:
    known = all(entry.course in spec.courses for entry in spec.dates)
    return {"every course in 'dates' must be one of 'courses'": known}
