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
_PARTS = {table.name: table for table in (t.chapter, t.lesson, t.skill, t.assignment)}


async def write_version(
    tx: AsyncSession,
    course_id: UUID,
    number: int,
    row: Mapping[str, Any],
    parts: Mapping[str, Rows],
) -> int:
    """The version and its parts (rows by table) are these; how many rows were not."""
    numbered = {"course_id": course_id, "tenant": tenant(tx), "number": number}
    written = await equalise(tx, t.course_version, numbered, [row])
    return written + await write_parts(tx, course_id, number, parts)


async def write_parts(
    tx: AsyncSession, course_id: UUID, number: int, parts: Mapping[str, Rows]
) -> int:
    """The parts of the version (rows by table) are these; how many rows were not."""
    scope = {"course_id": course_id, "tenant": tenant(tx), "version": number}
    return sum([await equalise(tx, _PARTS[name], scope, rows) for name, rows in parts.items()])


async def write_gates(tx: AsyncSession, course_id: UUID, rows: Rows) -> int:
    """The course's gates are these; how many were not."""
    return await equalise(tx, t.gate, {"course_id": course_id, "tenant": tenant(tx)}, rows)


async def write_prerequisites(tx: AsyncSession, name: str, rows: Rows) -> int:
    """The course, known or not, requires these; how many it did not."""
    return await equalise(tx, t.prerequisite, {"tenant": tenant(tx), "course": name}, rows)
