"""Writes a version and the policy around it, touching only rows that differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

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


async def write_gates(tx: AsyncSession, course_id: UUID, rows: Rows, *, new: bool = False) -> int:
    """The gates of the course, perhaps a ``new`` one, are these; how many were not."""
    scope = {"course_id": course_id, "tenant": tenant(tx)}
    return await equalise(tx, t.gate, scope, rows, new=new)


async def write_prerequisites(tx: AsyncSession, name: str, rows: Rows) -> int:
    """The course, known or not, requires these; how many it did not."""
    return await equalise(tx, t.prerequisite, {"tenant": tenant(tx), "course": name}, rows)
