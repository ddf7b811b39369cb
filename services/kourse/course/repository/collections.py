"""SQL of what still refers to a file."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import names
from kourse.course import tables as t
from kourse.course.repository import content


async def list_courses(tx: AsyncSession) -> list[tuple[str, str]]:
    """Tenant and name of every course that is not being deleted; for the worker role."""
    c = t.course.c
    query = select(c.tenant, c.name).where(c.purge_at.is_(None)).order_by(c.tenant, c.name)
    return [(row.tenant, row.name) for row in await tx.execute(query)]


async def lock_course(tx: AsyncSession, name: str) -> Row[Any] | None:
    """The course, whose versions nobody changes until the commit; None when there is none."""
    return await content.find_course(tx, name, lock=True)


async def drop_unsent(tx: AsyncSession, course_id: UUID, before: datetime) -> None:
    """Files that were announced before that time and never arrived are announced no more."""
    f, s = t.draft_file.c, t.submission.c
    theirs = select(s.id).where(s.course_id == course_id)
    await tx.execute(
        delete(t.draft_file).where(
            f.submission_id.in_(theirs), f.stored_at.is_(None), f.offered_at < before
        )
    )


async def unneeded_content(tx: AsyncSession, course_id: UUID, keys: Collection[str]) -> set[str]:
    """Those of the keys that are lessons' files which no version names; they count as not stored."""
    by_digest = {
        key.removeprefix(names.CONTENT): key for key in keys if key.startswith(names.CONTENT)
    }
    if not by_digest:
        return set()
    x = t.lesson.c
    entry = func.jsonb_array_elements(x.assets).table_valued("value", name="entry")
    digest = entry.c.value.cast(JSONB)["sha256"].astext
    linked = (
        select(digest).select_from(t.lesson.join(entry, true())).where(x.course_id == course_id)
    )
    texts = select(x.text_sha256).where(x.course_id == course_id, x.text_sha256.is_not(None))
    needed = {*await tx.scalars(linked), *await tx.scalars(texts)}
    doomed = by_digest.keys() - needed
    a = t.asset.c
    await tx.execute(delete(t.asset).where(a.course_id == course_id, a.sha256.in_(doomed)))
    return {by_digest[sha256] for sha256 in doomed}


async def unneeded_work(tx: AsyncSession, course_id: UUID, keys: Collection[str]) -> set[str]:
    """Those of the keys that are learners' files which no receipt has and nobody is to hand in."""
    sent = {key for key in keys if key.startswith(names.SUBMISSIONS)}
    if not sent:
        return set()
    f, s, h = t.draft_file.c, t.submission.c, t.hand_in.c
    waiting = select(f.key).join(t.submission, s.id == f.submission_id)
    entry = func.jsonb_array_elements(h.files).table_valued("value", name="entry")
    kept = (
        select(entry.c.value.cast(JSONB)["key"].astext)
        .select_from(t.hand_in.join(t.submission, s.id == h.submission_id).join(entry, true()))
        .where(s.course_id == course_id)
    )
    needed = {
        *await tx.scalars(waiting.where(s.course_id == course_id, f.key.is_not(None))),
        *await tx.scalars(kept),
    }
    return sent - needed
