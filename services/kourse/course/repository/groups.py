"""SQL of the groups that hand in as one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.course import tables as t
from kourse.course.repository.content import tenant
from kourse.kit.ids import new_id


async def find_of_learner(
    tx: AsyncSession, assignment_id: UUID, learner_id: UUID, *, lock: bool = False
) -> Row[Any] | None:
    """The group in which the learner works on the assignment, or None."""
    g, m = t.work_group.c, t.work_group_member.c
    query = (
        select(t.work_group)
        .join(t.work_group_member, m.group_id == g.id)
        .where(m.assignment_id == assignment_id, m.learner_id == learner_id)
    )
    locked = query.with_for_update(of=t.work_group)
    return (await tx.execute(locked if lock else query)).one_or_none()


async def groups_of_learner(
    tx: AsyncSession, assignment_ids: Collection[UUID], learner_id: UUID
) -> dict[UUID, UUID]:
    """The learner's group for each of these assignments that they work on in one."""
    m = t.work_group_member.c
    query = select(m.assignment_id, m.group_id).where(
        m.assignment_id.in_(assignment_ids), m.learner_id == learner_id
    )
    return {row.assignment_id: row.group_id for row in await tx.execute(query)}


async def list_members(tx: AsyncSession, group_id: UUID) -> list[UUID]:
    """Its learners, by id."""
    m = t.work_group_member.c
    query = select(m.learner_id).where(m.group_id == group_id).order_by(m.learner_id)
    return list(await tx.scalars(query))


async def list_groups(
    tx: AsyncSession,
    work: Row[Any],
    cohorts: Collection[str] | None,
    after: str | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """The groups of an assignment with their ``members``, by name: all, or of these cohorts."""
    g, m, e = t.work_group.c, t.work_group_member.c, t.enrolment.c
    members = func.array_agg(aggregate_order_by(m.learner_id, m.learner_id)).label("members")
    query = (
        select(g.id, g.name, members)
        .join(t.work_group_member, m.group_id == g.id)
        .where(g.assignment_id == work.id)
        .group_by(g.id, g.name)
        .order_by(g.name)
        .limit(limit)
    )
    if cohorts is not None:
        theirs = select(e.learner_id).where(e.course_id == work.course_id, e.cohort.in_(cohorts))
        query = query.where(m.learner_id.in_(theirs))
    if after is not None:
        query = query.where(g.name > after)
    return (await tx.execute(query)).all()


async def claim(tx: AsyncSession, course_id: UUID, assignment_id: UUID, name: str) -> Row[Any]:
    """The group of that name, made now if it was not there, and nobody else's until the commit."""
    await tx.execute(
        upsert(t.work_group)
        .values(
            id=new_id(),
            tenant=tenant(tx),
            course_id=course_id,
            assignment_id=assignment_id,
            name=name,
        )
        .on_conflict_do_nothing(constraint="uq_work_group_assignment_id_name")
    )
    return (await tx.execute(_of(assignment_id, name).with_for_update())).one()


async def find(tx: AsyncSession, assignment_id: UUID, name: str) -> Row[Any] | None:
    """The group of that name, nobody else's until the commit; None when there is none."""
    return (await tx.execute(_of(assignment_id, name).with_for_update())).one_or_none()


def _of(assignment_id: UUID, name: str) -> Any:
    g = t.work_group.c
    return select(t.work_group).where(g.assignment_id == assignment_id, g.name == name)


async def count_elsewhere(
    tx: AsyncSession, assignment_id: UUID, group_id: UUID, learners: Collection[UUID]
) -> int:
    """How many of the learners are in another group of the assignment."""
    m = t.work_group_member.c
    query = select(func.count()).where(
        m.assignment_id == assignment_id, m.group_id != group_id, m.learner_id.in_(learners)
    )
    return await tx.scalar(query) or 0


async def replace_members(tx: AsyncSession, group: Row[Any], learners: Collection[UUID]) -> None:
    """These learners make up the group."""
    m = t.work_group_member.c
    await tx.execute(delete(t.work_group_member).where(m.group_id == group.id))
    rows = [
        {
            "group_id": group.id,
            "learner_id": learner_id,
            "tenant": tenant(tx),
            "assignment_id": group.assignment_id,
        }
        for learner_id in sorted(learners)
    ]
    await tx.execute(upsert(t.work_group_member).values(rows))


async def delete_group(tx: AsyncSession, group_id: UUID) -> None:
    """The group is gone."""
    await tx.execute(delete(t.work_group).where(t.work_group.c.id == group_id))
