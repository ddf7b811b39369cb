"""Changes of one part of a course's document; the rest stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pydantic import ValidationError

from kourse.contracts.errors import Invalid, NotFound
from kourse.contracts.resources.course import Chapter, CourseSpec, Lesson
from kourse.contracts.resources.meta import Lifecycle

P = TypeVar("P", Chapter, Lesson)


def at_stage(spec: CourseSpec, lifecycle: Lifecycle | None) -> CourseSpec:
    """The document at that stage of its life; None leaves it where it is."""
    return spec if lifecycle is None else spec.model_copy(update={"lifecycle": lifecycle})


def find_chapter(spec: CourseSpec, key: str) -> Chapter:
    """The chapter of that key.

    Raises:
        NotFound: There is none.
    """
    return _found(spec.chapters, key, "chapter")


def find_lesson(spec: CourseSpec, chapter: str, key: str) -> Lesson:
    """The lesson of that key in that chapter.

    Raises:
        NotFound: There is no such chapter, or no such lesson in it.
    """
    return _found(find_chapter(spec, chapter).lessons, key, "lesson")


def with_chapter(spec: CourseSpec, chapter: Chapter, position: int | None) -> CourseSpec:
    """The document with this chapter, in place of one of its key or as a new one.

    Args:
        spec: The document.
        chapter: The chapter.
        position: Place among the chapters, from 0; None for where it was, or last.
    """
    return _checked(spec, _with(spec.chapters, chapter, position))


def without_chapter(spec: CourseSpec, key: str) -> CourseSpec:
    """The document without this chapter.

    Raises:
        NotFound: There is none of that key.
        Invalid: It is the only one.
    """
    return _checked(spec, _without(spec.chapters, find_chapter(spec, key)))


def with_lesson(spec: CourseSpec, chapter: str, lesson: Lesson, position: int | None) -> CourseSpec:
    """The document with this lesson in that chapter, in place of one of its key or as a new one.

    Raises:
        NotFound: There is no such chapter.
        Invalid: The document would not be one.
    """
    within = find_chapter(spec, chapter)
    changed = within.model_copy(update={"lessons": _with(within.lessons, lesson, position)})
    return with_chapter(spec, changed, None)


def without_lesson(spec: CourseSpec, chapter: str, key: str) -> CourseSpec:
    """The document without this lesson.

    Raises:
        NotFound: There is no such chapter, or no such lesson in it.
        Invalid: It is the chapter's only one.
    """
    within = find_chapter(spec, chapter)
    kept = _without(within.lessons, find_lesson(spec, chapter, key))
    return with_chapter(spec, within.model_copy(update={"lessons": kept}), None)


def _found(parts: Sequence[P], key: str, kind: str) -> P:
    for part in parts:
        if part.key == key:
            return part
    raise NotFound(f"There is no {kind} {key!r} here.")


def _with(parts: Sequence[P], part: P, position: int | None) -> list[P]:
    kept = [one for one in parts if one.key != part.key]
    kept.insert(_place_of(part.key, parts) if position is None else position, part)
    return kept


def _place_of(key: str, parts: Sequence[P]) -> int:
    return next((at for at, one in enumerate(parts) if one.key == key), len(parts))


def _without(parts: Sequence[P], part: P) -> list[P]:
    return [one for one in parts if one is not part]


def _checked(spec: CourseSpec, chapters: Sequence[Chapter]) -> CourseSpec:
    """The document with these chapters, read again as whoever sent it whole would have it read."""
    changed = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    changed["chapters"] = [
        one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in chapters
    ]
    try:
        return CourseSpec.model_validate(changed)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise Invalid(f"{where}: {first['msg']}.") from None
