"""SQL of what learners see of a course: the live version and its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Double, Row, Select, Text, cast, func, select, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.resources.course import Visibility
from kourse.contracts.resources.meta import Lifecycle
from kourse.course import tables as t
from kourse.course.repository.content import tenant


@dataclass(frozen=True)
class Filters:
    """What is asked of a course in the catalogue; None for anything."""

    tag: str | None = None
    level: str | None = None
    language: str | None = None


async def _all(tx: AsyncSession, query: Any) -> Sequence[Row[Any]]:
    rows: Sequence[Row[Any]] = (await tx.execute(query)).all()
    return rows


def _live() -> Select[Any]:
    c, v = t.course.c, t.course_version.c
    return select(
        c.id,
        c.name,
        c.lifecycle,
        c.enrolment_mode,
        c.policy,
        c.retired_at,
        v.number.label("version"),
        v.digest,
        v.title,
        v.time_zone,
        v.content["summary"].astext.label("summary"),
        v.content["level"].astext.label("level"),
        v.content["language"].astext.label("language"),
        v.content["tags"].label("tags"),
    ).join(t.course_version, (v.course_id == c.id) & (v.number == c.live_version))


async def get_live(tx: AsyncSession, name: str) -> Row[Any]:
    """The course with its live version.

    Raises:
        NotFound: There is none, or nothing of it was published yet.
    """
    query = _live().where(t.course.c.tenant == tenant(tx), t.course.c.name == name)
    found: Row[Any] | None = (await tx.execute(query)).one_or_none()
    if found is None:
        raise NotFound(f"There is no course {name!r} here.")
    return found


def _listed(tx: AsyncSession, wanted: Filters) -> Select[Any]:
    """Courses that everybody finds, with their number of lessons and minutes."""
    c, v, x = t.course.c, t.course_version.c, t.lesson.c
    size = (
        select(
            func.count().label("lessons"), func.coalesce(func.sum(x.minutes), 0).label("minutes")
        )
        .where(x.course_id == c.id, x.version == c.live_version)
        .lateral("size")
    )
    query = (
        _live()
        .add_columns(size.c.lessons, size.c.minutes)
        .join(size, onclause=c.id == c.id)
        .where(
            c.tenant == tenant(tx),
            c.visibility == Visibility.LISTED.value,
            c.lifecycle != Lifecycle.ARCHIVED.value,
            c.retired_at.is_(None),
        )
    )
    for field in ("level", "language"):
        if (value := getattr(wanted, field)) is not None:
            query = query.where(v.content[field].astext == value)
    if wanted.tag is not None:
        query = query.where(v.content["tags"].contains([wanted.tag]))
    return query


async def list_listed(
    tx: AsyncSession, wanted: Filters, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Courses that everybody finds, in order of name."""
    query = _listed(tx, wanted).order_by(t.course.c.name).limit(limit)
    if after is not None:
        query = query.where(t.course.c.name > after)
    return await _all(tx, query)


async def search_listed(
    tx: AsyncSession, words: str, wanted: Filters, after: tuple[float, str] | None, limit: int
) -> Sequence[Row[Any]]:
    """Courses that everybody finds and that have all the words, those that fit best first.

    The words are looked for as each course's language inflects them, and as they stand. There is no
    index of them: below row-level security PostgreSQL would not use it, since ``@@`` might leak what
    it compares. So all courses of the tenant are looked at, and their words are kept ready for it.

    Args:
        tx: The transaction.
        words: A ``tsquery``.
        wanted: What else is asked of a course.
        after: Rank and name after which to begin.
        limit: Most rows.
    """
    c, v = t.course.c, t.course_version.c
    config = func.course.search_config(v.content["language"].astext)
    asked = func.to_tsquery(config, words).op("||")(func.to_tsquery("simple", words))
    rank = cast(-func.ts_rank(v.search, asked), Double).label("rank")
    query = _listed(tx, wanted).add_columns(rank).where(v.search.op("@@")(asked))
    if after is not None:
        query = query.where(tuple_(rank, c.name) > after)
    return await _all(tx, query.order_by(rank, c.name).limit(limit))


async def vocabulary(tx: AsyncSession, limit: int) -> list[str]:
    """Titles and tags of courses that everybody finds; of at most so many, the newest first."""
    query = _listed(tx, Filters()).order_by(t.course.c.created_at.desc()).limit(limit)
    return [" ".join([row.title, *row.tags]) for row in await _all(tx, query)]


async def list_chapters(tx: AsyncSession, course_id: UUID, version: int) -> Sequence[Row[Any]]:
    """The chapters of a version, in order."""
    x = t.chapter.c
    query = (
        select(x.key, x.title, x.summary)
        .where(x.course_id == course_id, x.version == version)
        .order_by(x.position)
    )
    return await _all(tx, query)


async def list_lessons(tx: AsyncSession, course_id: UUID, version: int) -> Sequence[Row[Any]]:
    """The lessons of a version without their texts, in order of study."""
    x = t.lesson.c
    query = (
        select(x.id, x.key, x.title, x.chapter, x.minutes, x.skills, x.path)
        .where(x.course_id == course_id, x.version == version)
        .order_by(x.position)
    )
    return await _all(tx, query)


async def get_lesson(tx: AsyncSession, course_id: UUID, version: int, key: str) -> Row[Any]:
    """What a lesson of the version is made of: its text, files and practice."""
    x = t.lesson.c
    query = select(x.text, x.text_sha256, x.assets, x.practice)
    query = query.where(x.course_id == course_id, x.version == version, x.key == key)
    found: Any = await tx.execute(query)
    row: Row[Any] = found.one()
    return row


async def list_skills(tx: AsyncSession, course_id: UUID, version: int) -> Sequence[Row[Any]]:
    """The skills of a version, in order."""
    x = t.skill.c
    query = (
        select(x.key, x.title, x.prerequisites, x.remediation_below, x.challenge_from)
        .where(x.course_id == course_id, x.version == version)
        .order_by(x.position)
    )
    return await _all(tx, query)


async def list_assignments(tx: AsyncSession, course_id: UUID, version: int) -> Sequence[Row[Any]]:
    """The assignments of a version, in order."""
    x = t.assignment.c
    query = (
        select(t.assignment)
        .where(x.course_id == course_id, x.version == version)
        .order_by(x.position)
    )
    return await _all(tx, query)


async def stored_gates(tx: AsyncSession, course_id: UUID) -> str:
    """The course's gates, in order, in their stored form."""
    x = t.gate.c
    pair = func.jsonb_build_array(x.chapter, x.requires)
    query = select(cast(func.jsonb_agg(aggregate_order_by(pair, x.position)), Text))
    found: str | None = await tx.scalar(query.where(x.course_id == course_id))
    return found or "[]"


async def list_prerequisites(tx: AsyncSession, name: str) -> Sequence[Row[Any]]:
    """The courses to complete first, by name."""
    x = t.prerequisite.c
    query = (
        select(x.requires, x.min_completion)
        .where(x.tenant == tenant(tx), x.course == name)
        .order_by(x.requires)
    )
    return await _all(tx, query)


async def asset_digests(tx: AsyncSession, course_id: UUID, version: int) -> dict[str, str]:
    """Digest by path of every file that the lessons of a version offer."""
    x = t.lesson.c
    found = await tx.scalars(select(x.assets).where(x.course_id == course_id, x.version == version))
    return {entry["path"]: entry["sha256"] for assets in found for entry in assets}


async def asset_sizes(tx: AsyncSession, course_id: UUID) -> dict[str, int]:
    """Size in bytes by digest of every stored file."""
    x = t.asset.c
    query = select(x.sha256, x.size_bytes).where(
        x.course_id == course_id, x.size_bytes.is_not(None)
    )
    return {row.sha256: row.size_bytes for row in await tx.execute(query)}
