"""What must hold in a course's document before it is stored, whichever door it comes through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kourse.contracts.errors import InvalidDates
from kourse.contracts.resources.course import CourseSpec
from kourse.course.domain.content import assets_of, lessons_of
from kourse.course.domain.graphs import any_cycle, cycle_through
from kourse.course.domain.markdown import asset_links
from kourse.course.errors import DuplicateKey, PrerequisiteCycle, SkillCycle, UnknownReference
from kourse.rules.dates import Frame, dates_of, zone_of
from kourse.rules.documents import require_valid

MOST_NAMED = 10


@dataclass(frozen=True)
class _Reference:
    """Something that a document names, and where."""

    where: str
    what: str
    name: str
    known: bool

    def sentence(self) -> str:
        """What is named where."""
        return f"{self.where} names the {self.what} {self.name!r}"


def check(spec: CourseSpec) -> None:
    """Returns when the document can be stored.

    Raises:
        Invalid: It breaks one of the rules that the resource's schema states.
        UnknownTimeZone: Its time zone is not in the IANA database.
        DuplicateKey: Two lessons share a key, or one path stands for two files.
        UnknownReference: It names a skill, lesson, chapter or asset that it does not have.
        SkillCycle: Its skills require each other in a circle.
        InvalidDates: A default date does not exist, or stands in an impossible order.
    """
    require_valid(spec)
    zone = zone_of(spec.time_zone)
    _require_unique_lessons(spec)
    _require_unique_paths(spec)
    _require_known(_references(spec))
    _require_no_skill_cycle(spec)
    for entry in spec.assignments:
        try:
            dates_of(entry.dates, Frame(zone))
        except InvalidDates as error:
            raise InvalidDates(f"The assignment {entry.key!r}: {error.detail}") from None


def _require_unique_lessons(spec: CourseSpec) -> None:
    first: dict[str, str] = {}
    for chapter, lesson in lessons_of(spec):
        if lesson.key in first:
            raise DuplicateKey(
                f"The lesson key {lesson.key!r} is used in the chapters {first[lesson.key]!r} and "
                f"{chapter!r}; progress is kept by it, so it must be unique in the course."
            )
        first[lesson.key] = chapter


def _require_unique_paths(spec: CourseSpec) -> None:
    known = assets_of(spec)
    for _, lesson in lessons_of(spec):
        for asset in lesson.assets:
            if known[asset.path].sha256 != asset.sha256:
                raise DuplicateKey(
                    f"The asset {asset.path!r} is declared with two different digests."
                )


def _references(spec: CourseSpec) -> Iterator[_Reference]:
    skills = {skill.key for skill in spec.skills}
    lessons = {lesson.key for _, lesson in lessons_of(spec)}
    chapters = {chapter.key for chapter in spec.chapters}
    for skill in spec.skills:
        yield from _each(f"The skill {skill.key!r}", "skill", skill.prerequisites, skills)
    paths = set(assets_of(spec))
    for _, lesson in lessons_of(spec):
        where = f"The lesson {lesson.key!r}"
        yield from _each(where, "skill", lesson.skills, skills)
        yield from _each(where, "asset", asset_links(lesson.text or ""), paths)
    for work in spec.assignments:
        yield from _each(f"The assignment {work.key!r}", "skill", work.skills, skills)
    for gate in spec.gates:
        where = f"The gate of {gate.chapter!r}"
        yield from _each(where, "chapter", [gate.chapter], chapters)
        for entry in gate.requires:
            yield from _each(where, "lesson", [entry.lesson] if entry.lesson else [], lessons)
            yield from _each(where, "skill", [entry.skill] if entry.skill else [], skills)


def _each(where: str, what: str, named: Iterable[str], known: set[str]) -> Iterator[_Reference]:
    return (_Reference(where, what, name, name in known) for name in named)


def _require_known(references: Iterable[_Reference]) -> None:
    unknown = [entry.sentence() for entry in references if not entry.known]
    if not unknown:
        return
    more = f"; and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
    named = "; ".join(unknown[:MOST_NAMED])
    raise UnknownReference(f"{named}{more}. The course declares none of that name.")


def _require_no_skill_cycle(spec: CourseSpec) -> None:
    circle = any_cycle({skill.key: skill.prerequisites for skill in spec.skills})
    if circle is not None:
        raise SkillCycle(f"These skills require each other in a circle: {' → '.join(circle)}.")


def require_no_course_cycle(course: str, edges: Mapping[str, Iterable[str]]) -> None:
    """Returns when ``course`` does not require itself over other courses.

    Args:
        course: Name of the course.
        edges: For every course of the tenant, this one included, what it requires.

    Raises:
        PrerequisiteCycle: It does.
    """
    circle = cycle_through(course, edges)
    if circle is not None:
        raise PrerequisiteCycle(
            f"These courses require each other in a circle: {' → '.join(circle)}."
        )
