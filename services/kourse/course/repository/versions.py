"""Writes a version and the policy around it, touching only rows that differ."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, false, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.course import tables as t
from kourse.course.repository.content import tenant
from kourse.kit.rows import equalise

Rows = list[dict[str, Any]]
PARTS = {table.name: table for table in (t.chapter, t.lesson, t.skill, t.assignment)}
"""Tables of what belongs to a version, by name."""


async def write_version(
    tx: AsyncSession,
    course_id: UUID,
    number: int,
    row: Mapping[str, Any],
    parts: Mapping[str, Rows],
    *,
    new: bool = False,
) -> int:
    """The version, with ``new`` one never used before, and its parts (rows by table) are these.

    Returns:
        How many rows were not.
    """
    numbered = {"course_id": course_id, "tenant": tenant(tx), "number": number}
    written = await equalise(tx, t.course_version, numbered, [row], new=new)
    return written + await write_parts(tx, course_id, number, parts, new=new)


async def write_parts(
    tx: AsyncSession,
    course_id: UUID,
    number: int,
    parts: Mapping[str, Rows],
    *,
    new: bool = False,
) -> int:
    """The parts of the version, perhaps a ``new`` one, are these; how many rows were not."""
    scope = {"course_id": course_id, "tenant": tenant(tx), "version": number}
    return sum(
        [await equalise(tx, PARTS[name], scope, rows, new=new) for name, rows in parts.items()]
    )


async def list_authored(
    tx: AsyncSession, names: Collection[str] | None, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Courses in service with their current version's title, by name; of these names, or all."""
    c, v = t.course.c, t.course_version.c
    query = (
        select(c.name, v.title, c.lifecycle, c.current_version, c.live_version, c.updated_at)
        .join(t.course_version, (v.course_id == c.id) & (v.number == c.current_version))
        .where(c.tenant == tenant(tx), c.retired_at.is_(None))
    )
    if names is not None:
        query = query.where(c.name.in_(names))
    if after is not None:
        query = query.where(c.name > after)
    return await fetch(tx, query.order_by(c.name).limit(limit))


async def list_versions(
    tx: AsyncSession, course: str, before: int | None, limit: int
) -> Sequence[Row[Any]]:
    """The versions of a course without their content, newest first."""
    query = _of(tx, course).order_by(t.course_version.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(t.course_version.c.number < before)
    return await fetch(tx, query)


async def find_version(tx: AsyncSession, course: str, number: int) -> Row[Any] | None:
    """A version of a course with its content, or None."""
    v = t.course_version.c
    query = _of(tx, course).add_columns(v.content).where(v.number == number)
    return (await tx.execute(query)).one_or_none()


def _of(tx: AsyncSession, course: str) -> Select[Any]:
    c, v = t.course.c, t.course_version.c
    return (
        select(
            v.number,
            v.title,
            v.digest,
            v.lifecycle,
            (v.number == c.current_version).label("is_current"),
            func.coalesce(v.number == c.live_version, false()).label("is_live"),
            v.created_at,
            v.live_at,
        )
        .join(t.course, c.id == v.course_id)
        .where(c.tenant == tenant(tx), c.name == course)
    )


async def fetch(tx: AsyncSession, query: Any) -> Sequence[Row[Any]]:
    """Every row of a query, whatever its columns."""
    rows: Sequence[Row[Any]] = (await tx.execute(query)).all()
    return rows


async def write_gates(tx: AsyncSession, course_id: UUID, rows: Rows, *, new: bool = False) -> int:
    """The gates of the course, perhaps a ``new`` one, are these; how many were not."""
    scope = {"course_id": course_id, "tenant": tenant(tx)}
    return await equalise(tx, t.gate, scope, rows, new=new)


async def write_prerequisites(tx: AsyncSession, name: str, rows: Rows) -> int:
    """The course, known or not, requires these; how many it did not."""
    return await equalise(tx, t.prerequisite, {"tenant": tenant(tx), "course": name}, rows)
