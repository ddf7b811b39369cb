"""SQL of what learners do: enrolments, visits, completions, and replicas that bear on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import AccommodationChanged, MasteryChanged
from kourse.contracts.resources.course import LessonPath
from kourse.course import tables as t
from kourse.course.repository.content import tenant
from kourse.kit.ids import new_id

ALONE = "-"
"""Run of a learner who studies outside any cohort."""


async def _all(tx: AsyncSession, query: Any) -> Sequence[Row[Any]]:
    rows: Sequence[Row[Any]] = (await tx.execute(query)).all()
    return rows


async def find_enrolment(
    tx: AsyncSession, course_id: UUID, learner_id: UUID, *, lock: bool = False
) -> Row[Any] | None:
    """The enrolment that counts now: the newest active one, else the newest; None when there is none."""
    e = t.enrolment.c
    query = (
        select(t.enrolment)
        .where(e.course_id == course_id, e.learner_id == learner_id)
        .order_by((e.status == "active").desc(), e.id.desc())
        .limit(1)
    )
    return (await tx.execute(query.with_for_update() if lock else query)).one_or_none()


async def active_enrolments(
    tx: AsyncSession, course_id: UUID, learners: Collection[UUID], *, lock: bool = False
) -> Sequence[Row[Any]]:
    """The newest active enrolment of each of these learners who has one, by id.

    With ``lock`` they do not change until the commit; whoever locks several does it in this order.
    """
    e = t.enrolment.c
    newest = (
        select(e.id)
        .ext(distinct_on(e.learner_id))
        .where(e.course_id == course_id, e.learner_id.in_(learners), e.status == "active")
        .order_by(e.learner_id, e.id.desc())
        .subquery()
    )
    query = select(t.enrolment).where(e.id.in_(select(newest.c.id))).order_by(e.id)
    return await _all(tx, query.with_for_update() if lock else query)


async def add_enrolment(
    tx: AsyncSession,
    course_id: UUID,
    learner_id: UUID,
    *,
    cohort: str | None = None,
    cohort_id: UUID | None = None,
) -> Row[Any] | None:
    """A new enrolment, or None when the learner has one in this run already."""
    statement = (
        upsert(t.enrolment)
        .values(
            id=new_id(),
            tenant=tenant(tx),
            learner_id=learner_id,
            course_id=course_id,
            run=cohort or ALONE,
            cohort=cohort,
            cohort_id=cohort_id,
        )
        .on_conflict_do_nothing(constraint="uq_enrolment_course_id_learner_id_run")
        .returning(*t.enrolment.c)
    )
    return (await tx.execute(statement)).one_or_none()


async def carry_over(tx: AsyncSession, enrolment_id: UUID) -> None:
    """The enrolment starts with what its learner completed and began in the course before."""
    mine, other = t.enrolment.alias("mine"), t.enrolment.alias("other")
    pair = mine.join(
        other,
        (other.c.course_id == mine.c.course_id)
        & (other.c.learner_id == mine.c.learner_id)
        & (other.c.id != mine.c.id)
        & (other.c.status == "active"),
    )
    for table, stamp in ((t.lesson_completion, "completed_at"), (t.lesson_visit, "first_at")):
        copied = [c for c in table.c if c.name not in {"enrolment_id", stamp}]
        rows = (
            select(literal(enrolment_id), *copied, func.min(table.c[stamp]))
            .select_from(pair.join(table, table.c.enrolment_id == other.c.id))
            .where(mine.c.id == enrolment_id)
            .group_by(*copied)
        )
        names = ["enrolment_id", *(c.name for c in copied), stamp]
        await tx.execute(upsert(table).from_select(names, rows).on_conflict_do_nothing())


async def list_enrolments(
    tx: AsyncSession, learner_id: UUID, after: UUID | None, limit: int
) -> Sequence[Row[Any]]:
    """A learner's enrolments with course name and title, newest first."""
    e, c, v = t.enrolment.c, t.course.c, t.course_version.c
    query = (
        select(
            e.id, e.cohort, e.status, e.created_at, e.completed_at, c.name.label("course"), v.title
        )
        .join(t.course, c.id == e.course_id)
        .join(
            t.course_version,
            (v.course_id == c.id) & (v.number == func.coalesce(c.live_version, c.current_version)),
        )
        .where(e.tenant == tenant(tx), e.learner_id == learner_id)
        .order_by(e.id.desc())
        .limit(limit)
    )
    if after is not None:
        query = query.where(e.id < after)
    return await _all(tx, query)


async def studied(tx: AsyncSession, learner_id: UUID) -> list[str]:
    """Names of the courses that the learner studies now, in alphabetical order."""
    e, c = t.enrolment.c, t.course.c
    query = (
        select(c.name)
        .join(t.enrolment, e.course_id == c.id)
        .where(e.learner_id == learner_id, e.status == "active", c.live_version.is_not(None))
        .distinct()
        .order_by(c.name)
    )
    return list(await tx.scalars(query))


async def members_of(tx: AsyncSession, cohort_id: UUID) -> list[UUID]:
    """Learners whom the cohort enrolled in any course, and who have not left it."""
    e = t.enrolment.c
    active = (e.cohort_id == cohort_id) & (e.status == "active")
    query = select(e.learner_id).where(active).distinct().order_by(e.learner_id)
    return list(await tx.scalars(query))


async def change_status(
    tx: AsyncSession, cohort_id: UUID, learners: Collection[UUID], status: str
) -> Sequence[Row[Any]]:
    """The cohort's enrolments of these learners have this status; those that had another, with their course."""
    c, e = t.course.c, t.enrolment.c
    statement = (
        update(t.enrolment)
        .where(
            e.cohort_id == cohort_id,
            e.learner_id.in_(learners),
            e.status != status,
            e.course_id == c.id,
        )
        .values(status=status)
        .returning(*e, c.name.label("course"))
    )
    rows = (await tx.execute(statement)).all()
    return sorted(rows, key=lambda row: (row.course, row.learner_id))


async def save_score(tx: AsyncSession, attempt_id: UUID, row: Mapping[str, Any]) -> None:
    """The attempt's released score is this, unless a later grading run is known."""
    statement = upsert(t.score).values(attempt_id=attempt_id, tenant=tenant(tx), **row)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[t.score.c.attempt_id],
            set_={**row, "released_at": func.clock_timestamp()},
            where=t.score.c.run <= statement.excluded.run,
        )
    )


async def save_accommodation(tx: AsyncSession, event: AccommodationChanged) -> None:
    """All assignments of the course are due so much later for the learner."""
    a = t.accommodation.c
    values = {"extra_hours": event.extra_hours}
    statement = upsert(t.accommodation).values(
        tenant=tenant(tx), learner_id=event.learner_id, course=event.course, **values
    )
    keys = [a.tenant, a.learner_id, a.course]
    await tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))


async def list_extra(
    tx: AsyncSession, course: str, learners: Collection[UUID]
) -> dict[UUID, timedelta]:
    """How much later assignments of the course are due for those of the learners to whom it is granted."""
    a = t.accommodation.c
    query = select(a.learner_id, a.extra_hours).where(
        a.course == course, a.learner_id.in_(learners)
    )
    return {row.learner_id: timedelta(hours=row.extra_hours) for row in await tx.execute(query)}


async def set_labels(tx: AsyncSession, enrolment_id: UUID, labels: Sequence[str]) -> None:
    """The enrolment carries these labels, and what closes for it is looked at once more."""
    changed = update(t.enrolment).where(t.enrolment.c.id == enrolment_id)
    await tx.execute(changed.values(labels=list(labels), look_at=func.clock_timestamp()))


async def save_mastery(tx: AsyncSession, event: MasteryChanged) -> None:
    """The learner's mastery of these skills is as told; of what was told before the rest stays."""
    statement = upsert(t.mastery)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[
                t.mastery.c[name] for name in ("tenant", "learner_id", "course", "skill")
            ],
            set_={
                **{name: statement.excluded[name] for name in ("probability", "answers", "band")},
                "updated_at": func.clock_timestamp(),
            },
        ),
        [
            {
                "tenant": tenant(tx),
                "learner_id": event.learner_id,
                "course": event.course,
                **skill.model_dump(),
            }
            for skill in event.skills
        ],
    )


async def find_cohort(tx: AsyncSession, cohort_id: UUID | None) -> Row[Any] | None:
    """What is known of a cohort, or None."""
    if cohort_id is None:
        return None
    query = select(t.cohort_replica).where(t.cohort_replica.c.cohort_id == cohort_id)
    return (await tx.execute(query)).one_or_none()


async def find_cohort_named(tx: AsyncSession, name: str, course: str) -> Row[Any] | None:
    """The cohort of that name when it studies the course, else None."""
    c = t.cohort_replica.c
    query = select(t.cohort_replica).where(
        c.tenant == tenant(tx), c.cohort == name, c.courses.contains([course])
    )
    return (await tx.execute(query)).one_or_none()


async def list_cohorts(tx: AsyncSession, ids: Collection[UUID]) -> dict[UUID, Row[Any]]:
    """What is known of these cohorts, by id."""
    query = select(t.cohort_replica).where(t.cohort_replica.c.cohort_id.in_(ids))
    return {row.cohort_id: row for row in await _all(tx, query)}


async def save_cohort(tx: AsyncSession, cohort_id: UUID, row: Mapping[str, Any]) -> None:
    """The cohort is known with these values."""
    await _replace(tx, t.cohort_replica, {"cohort_id": cohort_id}, row)


async def save_exam(tx: AsyncSession, exam_id: UUID, row: Mapping[str, Any]) -> None:
    """The exam is known with these values."""
    await _replace(tx, t.exam_replica, {"exam_id": exam_id}, row)


async def _replace(tx: AsyncSession, table: Any, key: Mapping[str, UUID], row: Any) -> None:
    statement = upsert(table).values(tenant=tenant(tx), **key, **row)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[table.c[name] for name in key],
            set_={**row, "updated_at": func.clock_timestamp()},
        )
    )


async def course_ids(tx: AsyncSession, names: Collection[str]) -> dict[str, UUID]:
    """Ids of the courses of these names; those that are not known are left out."""
    c = t.course.c
    query = select(c.name, c.id).where(c.tenant == tenant(tx), c.name.in_(names))
    return {row.name: row.id for row in await tx.execute(query)}


async def lesson_counts(
    tx: AsyncSession, learner_id: UUID, courses: Collection[str]
) -> dict[str, tuple[int, int]]:
    """For each course of these names, main lessons completed in any active run and those there are."""
    c, x, e, done = t.course.c, t.lesson.c, t.enrolment.c, t.lesson_completion.c
    mine = (
        select(done.lesson_id, e.course_id)
        .join(t.enrolment, e.id == done.enrolment_id)
        .where(e.tenant == tenant(tx), e.learner_id == learner_id, e.status == "active")
        .distinct()
        .subquery()
    )
    query = (
        select(c.name, func.count(mine.c.lesson_id).label("done"), func.count(x.id).label("all"))
        .join(
            t.lesson,
            (x.course_id == c.id)
            & (x.version == c.live_version)
            & (x.path == LessonPath.MAIN.value),
        )
        .outerjoin(mine, (mine.c.lesson_id == x.id) & (mine.c.course_id == c.id))
        .where(c.tenant == tenant(tx), c.name.in_(courses))
        .group_by(c.name)
    )
    return {row.name: (row.done, row.all) for row in await tx.execute(query)}


async def delete_learners(tx: AsyncSession, course: Row[Any], limit: int) -> int:
    """Some enrolments of a course are gone with all that hangs on them; how many."""
    e = t.enrolment.c
    doomed = select(e.id).where(e.course_id == course.id).limit(limit).scalar_subquery()
    gone = await tx.execute(delete(t.enrolment).where(e.id.in_(doomed)).returning(e.id))
    for table in (t.score, t.mastery):
        of_course = (table.c.tenant == tenant(tx)) & (table.c.course == course.name)
        await tx.execute(delete(table).where(of_course))
    return len(gone.all())
