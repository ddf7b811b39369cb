"""SQL of declared courses: versions, their parts, prerequisites and assets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.resources.meta import Lifecycle
from kourse.course import tables as t
from kourse.course.domain.lifecycle import Version

_LOCK_PREREQUISITES = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('kourse.course.prerequisites/' || :tenant, 0))"
)


@dataclass(frozen=True)
class Standing:
    """Where a course's versions stand."""

    current: Version | None = None
    live: Version | None = None
    highest: int = 0


def tenant(tx: AsyncSession) -> str:
    """The transaction's tenant."""
    return str(tx.info["tenant"])


async def find_course(tx: AsyncSession, name: str, *, lock: bool = False) -> Row[Any] | None:
    """The course of that name, or None; with ``lock`` nobody else changes it until the commit."""
    query = select(t.course).where(t.course.c.tenant == tenant(tx), t.course.c.name == name)
    return (await tx.execute(query.with_for_update() if lock else query)).one_or_none()


async def standing(tx: AsyncSession, course: Row[Any] | None) -> Standing:
    """Its current and live version, and the highest number given so far."""
    if course is None:
        return Standing()
    v = t.course_version.c
    numbers = {course.current_version, course.live_version} - {None}
    found = await tx.execute(
        select(v.number, v.digest, v.lifecycle, v.eligible).where(
            v.course_id == course.id, v.number.in_(numbers)
        )
    )
    by_number = {
        row.number: Version(row.number, row.digest, Lifecycle(row.lifecycle), row.eligible)
        for row in found
    }
    highest = await tx.scalar(select(func.max(v.number)).where(v.course_id == course.id))
    return Standing(
        by_number.get(course.current_version),
        by_number.get(course.live_version),
        highest or 0,
    )


async def save_course(tx: AsyncSession, course_id: UUID, name: str, row: Mapping[str, Any]) -> bool:
    """The course's row has these values; whether it had not."""
    values = {**row, "retired_at": None, "purge_at": None}
    statement = upsert(t.course).values(id=course_id, tenant=tenant(tx), name=name, **values)
    differs = [t.course.c[key].is_distinct_from(statement.excluded[key]) for key in values]
    condition = differs[0]
    for other in differs[1:]:
        condition |= other
    result = await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[t.course.c.id],
            set_={**values, "updated_at": func.clock_timestamp()},
            where=condition,
        ).returning(t.course.c.id)
    )
    return result.one_or_none() is not None


async def known_courses(tx: AsyncSession, names: Iterable[str]) -> set[str]:
    """Those of the names under which the tenant has a course, be it retired."""
    c = t.course.c
    query = select(c.name).where(c.tenant == tenant(tx), c.name.in_(list(names)))
    return set(await tx.scalars(query))


async def set_live(tx: AsyncSession, course_ids: Sequence[UUID], number: int) -> None:
    """Learners of these courses get the version of that number from now on."""
    if not course_ids:
        return
    await tx.execute(
        update(t.course)
        .where(t.course.c.id.in_(course_ids))
        .values(live_version=number, updated_at=func.clock_timestamp())
    )
    v = t.course_version.c
    await tx.execute(
        update(t.course_version)
        .where(v.course_id.in_(course_ids), v.number == number, v.live_at.is_(None))
        .values(live_at=func.clock_timestamp())
    )


async def get_version(tx: AsyncSession, course_id: UUID, number: int) -> Row[Any]:
    """A version that is known to be there."""
    v = t.course_version.c
    columns = [column for column in v if column.name != "search"]
    query = select(*columns).where(v.course_id == course_id, v.number == number)
    row: Row[Any] = (await tx.execute(query)).one()
    return row


async def lock_prerequisites(tx: AsyncSession) -> None:
    """Nobody else in the tenant changes prerequisites until the commit, so no circle slips through."""
    await tx.execute(_LOCK_PREREQUISITES, {"tenant": tenant(tx)})


async def prerequisites(tx: AsyncSession) -> dict[str, list[str]]:
    """For every course of the tenant, also those that still wait, what it requires."""
    p = t.prerequisite.c
    edges: dict[str, list[str]] = {}
    for row in await tx.execute(
        select(p.course, p.requires).where(p.tenant == tenant(tx)).order_by(p.course, p.requires)
    ):
        edges.setdefault(row.course, []).append(row.requires)
    return edges


async def unknown_courses(tx: AsyncSession, names: Iterable[str]) -> list[str]:
    """Those of the names under which the tenant has no course, or a retired one; sorted."""
    wanted = set(names)
    c = t.course.c
    known = await tx.scalars(
        select(c.name).where(c.tenant == tenant(tx), c.name.in_(wanted), c.retired_at.is_(None))
    )
    return sorted(wanted - set(known))


async def declare_assets(tx: AsyncSession, course_id: UUID, paths: Mapping[str, str]) -> int:
    """Every asset (digest by path) is known, stored or not; how many were not known."""
    rows = [
        {"course_id": course_id, "sha256": sha256, "tenant": tenant(tx), "path": path}
        for path, sha256 in paths.items()
    ]
    if not rows:
        return 0
    result = await tx.execute(
        upsert(t.asset).values(rows).on_conflict_do_nothing().returning(t.asset.c.sha256)
    )
    return len(result.all())


async def missing_assets(tx: AsyncSession, course_id: UUID, paths: Mapping[str, str]) -> list[str]:
    """Paths whose file (digest by path) is not stored yet, sorted."""
    if not paths:
        return []
    a = t.asset.c
    stored = set(
        await tx.scalars(
            select(a.sha256).where(
                a.course_id == course_id,
                a.sha256.in_(set(paths.values())),
                a.stored_at.is_not(None),
            )
        )
    )
    return sorted(path for path, sha256 in paths.items() if sha256 not in stored)


async def list_assets(
    tx: AsyncSession, course_id: UUID, sha256s: Iterable[str]
) -> Sequence[Row[Any]]:
    """What is known of these files; those that no version declares are left out."""
    a = t.asset.c
    query = select(t.asset).where(a.course_id == course_id, a.sha256.in_(set(sha256s)))
    return (await tx.execute(query)).all()


async def text_digests(tx: AsyncSession, course_id: UUID) -> set[str]:
    """Digests of the files that are texts of lessons."""
    x = t.lesson.c
    query = select(x.text_sha256).where(x.course_id == course_id, x.text_sha256.is_not(None))
    return {str(digest) for digest in await tx.scalars(query.distinct())}


async def record_stored(tx: AsyncSession, course_id: UUID, sizes: Mapping[str, int]) -> None:
    """These files (size in bytes by digest) are in the bucket."""
    a = t.asset.c
    for sha256, size in sorted(sizes.items()):
        await tx.execute(
            update(t.asset)
            .where(a.course_id == course_id, a.sha256 == sha256, a.stored_at.is_(None))
            .values(stored_at=func.clock_timestamp(), size_bytes=size)
        )


async def forget_stored(tx: AsyncSession, name: str) -> int:
    """No file of the course counts as stored any more; how many did."""
    a = t.asset.c
    ids = select(t.course.c.id).where(t.course.c.tenant == tenant(tx), t.course.c.name == name)
    result = await tx.execute(
        update(t.asset)
        .where(a.course_id.in_(ids), a.stored_at.is_not(None))
        .values(stored_at=None)
        .returning(a.sha256)
    )
    return len(result.all())


async def retire(tx: AsyncSession, course_id: UUID) -> None:
    """The course is no longer offered; what learners have stays readable."""
    await tx.execute(
        update(t.course)
        .where(t.course.c.id == course_id, t.course.c.retired_at.is_(None))
        .values(retired_at=func.clock_timestamp())
    )


async def start_purge(tx: AsyncSession, course_id: UUID) -> None:
    """The sweeper deletes what learners made with the course."""
    await tx.execute(
        update(t.course)
        .where(t.course.c.id == course_id)
        .values(
            retired_at=func.coalesce(t.course.c.retired_at, func.clock_timestamp()),
            purge_at=func.coalesce(t.course.c.purge_at, func.clock_timestamp()),
        )
    )


async def list_purges(tx: AsyncSession) -> list[tuple[str, str]]:
    """Tenant and name of the courses whose learners' data are to go, of all tenants."""
    c = t.course.c
    query = select(c.tenant, c.name).where(c.purge_at.is_not(None)).order_by(c.purge_at)
    return [(row.tenant, row.name) for row in await tx.execute(query)]


async def delete_course(tx: AsyncSession, course_id: UUID) -> None:
    """The course and every version are gone."""
    await tx.execute(delete(t.course).where(t.course.c.id == course_id))


async def forget_prerequisites(tx: AsyncSession, name: str) -> None:
    """What the course requires no longer counts."""
    p = t.prerequisite.c
    await tx.execute(delete(t.prerequisite).where(p.tenant == tenant(tx), p.course == name))


async def has_enrolments(tx: AsyncSession, course_id: UUID) -> bool:
    """Whether anybody ever enrolled and the record is still there."""
    e = t.enrolment.c
    # Only the columns that the operator's role may read.
    query = select(exists(select(e.course_id).where(e.course_id == course_id)))
    return bool(await tx.scalar(query))


async def count_learners(tx: AsyncSession, names: Sequence[str]) -> dict[str, int]:
    """Active enrolments by course name; courses that are not known are left out."""
    c, e = t.course.c, t.enrolment.c
    query = (
        select(c.name, func.count(e.course_id).filter(e.status == "active").label("learners"))
        .select_from(t.course.outerjoin(t.enrolment, e.course_id == c.id))
        .where(c.tenant == tenant(tx), c.name.in_(names))
        .group_by(c.name)
    )
    return {row.name: row.learners for row in await tx.execute(query)}
