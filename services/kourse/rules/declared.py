"""What is wrong with a declared spec that its schema cannot say: zones, keys, cycles and rules.

About one object alone, so the operator, the REST authoring API and the command line say the same; what
needs other objects or the database is for the owning service to refuse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple
from zoneinfo import available_timezones

from dateutil.rrule import rrulestr

from kourse.contracts.errors import Invalid
from kourse.contracts.resources import CohortSpec, CourseSpec, Document, ExamConfigSpec
from kourse.contracts.resources.course import Lesson, LessonPath
from kourse.contracts.resources.meta import Moment, Window

MOST_NAMED = 10


class Problem(NamedTuple):
    """One thing to put right."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def problems(name: str, spec: Document) -> list[Problem]:
    """Everything wrong with a spec of that object, in the order of its fields; often nothing."""
    match spec:
        case CourseSpec():
            return list(_course(name, spec))
        case ExamConfigSpec():
            return list(_windows("spec.dates", spec.dates))
        case CohortSpec():
            return list(_cohort(spec))
        case _:
            return []


def require_none(name: str, spec: Document) -> None:
    """Returns when nothing is wrong with a spec of that object.

    Raises:
        Invalid: Something is; ``errors`` names each place, at most ``MOST_NAMED`` of them.
    """
    found = problems(name, spec)
    if not found:
        return
    named = found[:MOST_NAMED]
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    errors = [
        {"field": one.path.removeprefix("spec."), "pointer": "#", "message": one.message}
        for one in named
    ]
    raise Invalid(f"{'; '.join(map(str, named))}{more}.", extensions={"errors": errors})


def _course(name: str, spec: CourseSpec) -> Iterator[Problem]:
    yield from _zone("spec.timeZone", spec.time_zone)
    for item in spec.prerequisites:
        if item.course_ref == name:
            yield Problem("spec.prerequisites", "a course cannot be its own prerequisite")
    yield from _cycle(spec)
    lessons = [lesson for chapter in spec.chapters for lesson in chapter.lessons]
    for key, count in Counter(lesson.key for lesson in lessons).items():
        if count > 1:
            yield Problem("spec.chapters", f"the lesson key '{key}' is used {count} times")
    skills = {skill.key for skill in spec.skills}
    for lesson in lessons:
        path = f"spec.chapters[].lessons[{lesson.key}].skills"
        yield from _unknown(path, lesson.skills, skills, "skills")
    for work in spec.assignments:
        path = f"spec.assignments[{work.key}]"
        yield from _unknown(f"{path}.skills", work.skills, skills, "skills")
        yield from _windows(f"{path}.dates", work.dates)
        for entry in work.overrides:
            yield from _windows(f"{path}.overrides[{entry.label}].dates", entry.dates)
    yield from _paths(lessons)
    yield from _gates(spec, {lesson.key for lesson in lessons}, skills)


def _paths(lessons: list[Lesson]) -> Iterator[Problem]:
    if all(lesson.path is not LessonPath.MAIN for lesson in lessons):
        yield Problem("spec.chapters", "at least one lesson must be on the path 'Main'")
    for lesson in lessons:
        if lesson.path is not LessonPath.MAIN and not lesson.skills:
            yield Problem(
                f"spec.chapters[].lessons[{lesson.key}].skills",
                f"a lesson on the path '{lesson.path}' must name the skills that decide on it",
            )


def _gates(spec: CourseSpec, lessons: set[str], skills: set[str]) -> Iterator[Problem]:
    chapters = {chapter.key for chapter in spec.chapters}
    for gate in spec.gates:
        path = f"spec.gates[{gate.chapter}].requires"
        asked = [one for entry in gate.requires for one in (entry, *entry.any_of)]
        yield from _unknown(path, (one.lesson for one in asked), lessons, "lessons")
        yield from _unknown(path, (one.chapter for one in asked), chapters, "chapters")
        yield from _unknown(path, (one.skill for one in asked), skills, "skills")
        if any(one.chapter == gate.chapter for one in asked):
            yield Problem(path, "a chapter cannot wait for itself")


def _cohort(spec: CohortSpec) -> Iterator[Problem]:
    yield from _zone("spec.run.timeZone", spec.run.time_zone)
    yield from _day("spec.run.starts", spec.run.starts)
    yield from _day("spec.run.ends", spec.run.ends)
    for number, item in enumerate(spec.dates):
        yield from _windows(f"spec.dates[{number}].dates", item.dates)
    for meeting in spec.schedule:
        path = f"spec.schedule[{meeting.key}]"
        yield from _time(f"{path}.starts", meeting.starts)
        if meeting.rrule:
            yield from _rule(f"{path}.rrule", meeting.rrule)
        for moment in meeting.exceptions:
            yield from _time(f"{path}.exceptions", moment)


def _cycle(spec: CourseSpec) -> Iterator[Problem]:
    graph = {skill.key: set(skill.prerequisites) for skill in spec.skills}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        way = " -> ".join(error.args[1])
        yield Problem("spec.skills", f"the prerequisites go round in a circle: {way}")


def _unknown(
    path: str, used: Iterable[str | None], known: Iterable[str], where: str
) -> Iterator[Problem]:
    for key in sorted({key for key in used if key} - set(known)):
        yield Problem(path, f"'{key}' is not among the course's {where}")


def _windows(path: str, window: Window) -> Iterator[Problem]:
    named: Mapping[str, Moment | None] = {
        "opens": window.opens,
        "due": window.due,
        "closes": window.closes,
    }
    for name, moment in named.items():
        if moment and moment.at:
            yield from _time(f"{path}.{name}.at", moment.at)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone(path: str, name: str) -> Iterator[Problem]:
    if name not in _zones():
        yield Problem(path, f"'{name}' is not an IANA time zone, such as Europe/Lisbon")


def _day(path: str, text: str) -> Iterator[Problem]:
    try:
        date.fromisoformat(text)
    except ValueError:
        yield Problem(path, f"{text} is not a day of the calendar")


def _time(path: str, text: str) -> Iterator[Problem]:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        yield Problem(path, f"{text} is not a time of the calendar")


def _rule(path: str, text: str) -> Iterator[Problem]:
    try:
        rrulestr(text, dtstart=datetime(2026, 1, 1))  # noqa: DTZ001 -- a wall clock is meant
    except (ValueError, KeyError, IndexError):
        yield Problem(path, f"'{text}' is not a recurrence rule of RFC 5545")
