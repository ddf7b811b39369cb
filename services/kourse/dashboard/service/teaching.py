"""What teachers see of those in their scope: the table of learners, and mastery by skill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.dashboard.domain.wanted import Wanted
from kourse.dashboard.repository import views as sql
from kourse.dashboard.schemas.teacher import (
    LearnerRow,
    LearnerTable,
    MasteryMatrix,
    MasteryRow,
    RiskView,
    SkillColumn,
)
from kourse.dashboard.service import marking, siblings
from kourse.kit import spreadsheets
from kourse.kit.auth import Actor
from kourse.kit.clock import database_now
from kourse.kit.http import Cursor
from kourse.kit.runtime import Runtime
from kourse.kit.views import View

_LEARNER_COLUMNS = (
    "learnerId",
    "name",
    "course",
    "cohort",
    "completed",
    "total",
    "mastery",
    "lastActivityAt",
    "courseCompletedAt",
    "atRiskSince",
    "risks",
)


async def learner_table(runtime: Runtime, actor: Actor, wanted: Wanted, form: str) -> bytes:
    """Learners, a page of them, as JSON or CSV; for the person to whom ``wanted`` is limited.

    Raises:
        NotFound: The course was never published, or nobody has studied with the cohort.
    """

    async def make() -> View:
        table = await _learner_table(runtime, actor.tenant, wanted)
        return View(_learners_csv(table) if form == "csv" else _json(table), not table.partial)

    return await _view(runtime, actor, wanted, ("learners", form), make)


async def mastery_matrix(runtime: Runtime, actor: Actor, wanted: Wanted, form: str) -> bytes:
    """Learners by skills of one course, as JSON or CSV.

    Raises:
        NotFound: The course was never published.
    """

    async def make() -> View:
        matrix = await _mastery_matrix(runtime, actor.tenant, wanted)
        return View(_matrix_csv(matrix) if form == "csv" else _json(matrix), not matrix.partial)

    return await _view(runtime, actor, wanted, ("mastery", form), make)


async def _view(
    runtime: Runtime, actor: Actor, wanted: Wanted, what: tuple[str, str], make: Any
) -> bytes:
    views = marking.views_of(runtime)
    cohorts = "*" if wanted.cohorts is None else ",".join(sorted(wanted.cohorts))
    after = "" if wanted.after is None else f"{wanted.after[0]}/{wanted.after[1]}"
    key = marking.key_for(
        actor, *what, wanted.course or "*", cohorts, int(wanted.at_risk), after, wanted.limit
    )
    marks = [marking.TENANT, *map(marking.of_cohort, wanted.cohorts or ())]
    if wanted.course is not None:
        marks = [marking.TENANT, marking.of_course(wanted.course)]
    return await views.get(key, [views.mark(actor.tenant, mark) for mark in marks], make)


def _json(view: LearnerTable | MasteryMatrix) -> bytes:
    return view.model_dump_json(by_alias=True).encode()


async def _learner_table(runtime: Runtime, tenant: str, wanted: Wanted) -> LearnerTable:
    async with runtime.database.transaction(tenant) as tx:
        if wanted.course is not None:
            await _course(tx, wanted.course)
        elif not await sql.has_cohort(tx, wanted.cohorts or ()):
            raise NotFound("Nobody has studied with this cohort so far.")
        found = await sql.list_learners(tx, _one_more(wanted))
        now = await database_now(tx)
    rows, following = _page(found, wanted)
    names = await _names(runtime, tenant, rows)
    return LearnerTable(
        items=[_learner_row(row, (names or {}).get(row.learner_id)) for row in rows],
        next=following,
        partial=[] if names is not None else ["names"],
        as_of=now,
    )


async def _mastery_matrix(runtime: Runtime, tenant: str, wanted: Wanted) -> MasteryMatrix:
    async with runtime.database.transaction(tenant) as tx:
        course = await _course(tx, str(wanted.course))
        found = await sql.list_mastery(tx, _one_more(wanted))
        now = await database_now(tx)
    rows, following = _page(found, wanted)
    names = await _names(runtime, tenant, rows)
    keys = [key for key, _ in course.skills]
    return MasteryMatrix(
        course=course.course,
        skills=[SkillColumn(skill=key, title=title) for key, title in course.skills],
        rows=[
            MasteryRow(
                learner_id=row.learner_id,
                name=(names or {}).get(row.learner_id),
                cohort=row.cohort,
                mastery=[_probability((row.skills or {}).get(key)) for key in keys],
            )
            for row in rows
        ],
        next=following,
        partial=[] if names is not None else ["names"],
        as_of=now,
    )


async def _course(tx: AsyncSession, name: str) -> Row[Any]:
    found = await sql.find_course(tx, name)
    if found is None:
        raise NotFound(f"There is no course {name!r} here.")
    return found


def _one_more(wanted: Wanted) -> Wanted:
    return replace(wanted, limit=wanted.limit + 1)


def _page(found: Sequence[Row[Any]], wanted: Wanted) -> tuple[Sequence[Row[Any]], str | None]:
    return Cursor.page(found, wanted.limit, key=lambda row: (row.course, row.learner_id))


async def _names(runtime: Runtime, tenant: str, rows: Sequence[Row[Any]]) -> dict[UUID, str] | None:
    learners = list(dict.fromkeys(row.learner_id for row in rows))
    deadline_s = runtime.settings.part_deadline.total_seconds()
    return await siblings.ask(
        "names", lambda: siblings.names_of(runtime, tenant, learners, deadline_s)
    )


def _probability(skill: Sequence[Any] | None) -> float | None:
    """What is stored of a skill, ``[probability, answers, band]``, where there is any answer."""
    return round(skill[0], 4) if skill and skill[1] else None


def _learner_row(row: Row[Any], name: str | None) -> LearnerRow:
    return LearnerRow(
        enrolment_id=row.enrolment_id,
        learner_id=row.learner_id,
        name=name,
        course=row.course,
        cohort=row.cohort,
        completed=row.completed,
        total=row.lessons,
        mastery=row.mastery,
        last_activity_at=row.active_at,
        course_completed_at=row.completed_at,
        at_risk_since=row.at_risk_at,
        risks=[RiskView(reason=reason, because=because) for reason, because in row.risks],
    )


def _learners_csv(table: LearnerTable) -> bytes:
    shown = [one.model_dump(mode="json", by_alias=True) for one in table.items]
    rows = (
        [
            *(one[name] for name in _LEARNER_COLUMNS[:-1]),
            " ".join(risk["because"] for risk in one["risks"]),
        ]
        for one in shown
    )
    return spreadsheets.row(_LEARNER_COLUMNS) + b"".join(map(spreadsheets.row, rows))


def _matrix_csv(matrix: MasteryMatrix) -> bytes:
    head = ["learnerId", "name", "cohort", *(column.skill for column in matrix.skills)]
    rows = ([str(row.learner_id), row.name, row.cohort, *row.mastery] for row in matrix.rows)
    return spreadsheets.row(head) + b"".join(map(spreadsheets.row, rows))
