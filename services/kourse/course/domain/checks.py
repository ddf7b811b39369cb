"""What must hold in a course's document before it is stored, whichever door it comes through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kourse.contracts.errors import InvalidDates
from kourse.contracts.resources.course import CourseSpec
from kourse.course.domain.content import assets_of, lessons_of
from kourse.course.domain.graphs import cycle_through
from kourse.course.domain.markdown import asset_links
from kourse.course.errors import DuplicateKey, PrerequisiteCycle, UnknownReference
from kourse.rules.dates import Frame, dates_of, zone_of
from kourse.rules.declared import require_none
from kourse.rules.documents import require_valid

MOST_NAMED = 10


def check(name: str, spec: CourseSpec) -> None:
    """Returns when the document of that course can be stored.

    Raises:
        Invalid: It breaks one of the rules that the resource's schema states, or names a time zone, a
            date, a lesson or a skill that is not there, or its skills require each other in a circle.
        DuplicateKey: One path stands for two files.
        UnknownReference: A lesson links to an asset that the course does not have.
        InvalidDates: A default date stands in an impossible order.
    """
    require_valid(spec)
    require_none(name, spec)
    _require_unique_paths(spec)
    _require_known_assets(spec)
    for entry in spec.assignments:
        try:
            for window in (entry.dates, *(one.dates for one in entry.overrides)):
                dates_of(window, Frame(zone_of(spec.time_zone)))
        except InvalidDates as error:
            raise InvalidDates(f"The assignment {entry.key!r}: {error.detail}") from None


def _require_unique_paths(spec: CourseSpec) -> None:
    known = assets_of(spec)
    for _, lesson in lessons_of(spec):
        for asset in lesson.assets:
            if known[asset.path].sha256 != asset.sha256:
                raise DuplicateKey(
                    f"The asset {asset.path!r} is declared with two different digests."
                )


def _require_known_assets(spec: CourseSpec) -> None:
    paths = set(assets_of(spec))
    unknown = [
        f"The lesson {lesson.key!r} names the asset {path!r}"
        for _, lesson in lessons_of(spec)
        for path in asset_links(lesson.text or "")
        if path not in paths
    ]
    if unknown:
        more = f"; and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
        named = "; ".join(unknown[:MOST_NAMED])
        raise UnknownReference(f"{named}{more}. The course declares none of that name.")


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
