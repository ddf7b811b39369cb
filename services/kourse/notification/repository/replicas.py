"""What notification remembers of siblings' facts: languages, titles and who studies what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.notification.domain.leaderboards import Run
from kourse.notification.repository import timetable
from kourse.notification.tables import cohort, course, enrolment, recipient

DEFAULT_LOCALE = "en"


@dataclass(frozen=True)
class Titles:
    """Names of courses and cohorts for people, by id; and the courses' time zones."""

    courses: dict[UUID, str]
    cohorts: dict[UUID, str]
    time_zones: dict[UUID, str]


async def put_recipient(tx: AsyncSession, user_id: UUID, locale: str) -> None:
    """The person is known with this language; whether they want mail stays as it is."""
    statement = insert(recipient).values(tenant=tx.info["tenant"], user_id=user_id, locale=locale)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[recipient.c.tenant, recipient.c.user_id], set_={"locale": locale}
        )
    )


async def locale_of(tx: AsyncSession, user_id: UUID) -> str:
    """The person's language, or the default while it is not known."""
    statement = select(recipient.c.locale).where(recipient.c.user_id == user_id)
    return (await tx.execute(statement)).scalar_one_or_none() or DEFAULT_LOCALE


async def put_course(
    tx: AsyncSession, *, course_id: UUID, name: str, title: str, version: int, time_zone: str
) -> None:
    """The course is known at this version; an older one changes nothing.

    Wall-clock dates of the course mean other moments when its time zone changes.
    """
    was_in = await tx.scalar(select(course.c.time_zone).where(course.c.course_id == course_id))
    values = {"course": name, "title": title, "version": version, "time_zone": time_zone}
    statement = insert(course).values(tenant=tx.info["tenant"], course_id=course_id, **values)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[course.c.tenant, course.c.course_id],
            set_=values,
            where=course.c.version <= version,
        )
    )
    if was_in != time_zone:
        await timetable.look_again(tx, enrolment.c.course_id == course_id)


async def put_cohort(tx: AsyncSession, *, cohort_id: UUID, name: str, title: str, run: Run) -> None:
    """The cohort is known with this title and this run."""
    values = {
        "cohort": name,
        "title": title,
        "courses": list(run.courses),
        "starts_on": run.starts_on,
        "ends_on": run.ends_on,
        "time_zone": run.time_zone,
    }
    statement = insert(cohort).values(tenant=tx.info["tenant"], cohort_id=cohort_id, **values)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[cohort.c.tenant, cohort.c.cohort_id], set_=values
        )
    )


async def titles(tx: AsyncSession, ids: Sequence[UUID]) -> Titles:
    """The titles of those of the courses and cohorts that are known."""
    courses = (await tx.execute(select(course).where(course.c.course_id.in_(ids)))).all()
    cohorts = (await tx.execute(select(cohort).where(cohort.c.cohort_id.in_(ids)))).all()
    return Titles(
        courses={row.course_id: row.title for row in courses},
        cohorts={row.cohort_id: row.title for row in cohorts},
        time_zones={row.course_id: row.time_zone for row in courses},
    )


async def course_titles(tx: AsyncSession, names: Sequence[str]) -> dict[str, str]:
    """The titles of those of the courses that are known, by name."""
    query = select(course.c.course, course.c.title).where(course.c.course.in_(names))
    return {row.course: row.title for row in (await tx.execute(query)).all()}


async def courses_of(tx: AsyncSession, learner_id: UUID) -> list[str]:
    """Names of the courses that the learner is enrolled in, as far as they are known, in order."""
    query = (
        select(course.c.course)
        .join(enrolment, enrolment.c.course_id == course.c.course_id)
        .where(enrolment.c.learner_id == learner_id)
        .distinct()
        .order_by(course.c.course)
    )
    return list((await tx.execute(query)).scalars())
