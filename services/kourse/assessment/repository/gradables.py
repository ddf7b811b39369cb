"""SQL of assignments, what was handed in for them, and how it was graded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.gradables import (
    Assignment,
    Criticism,
    Decision,
    Gradable,
    Outcome,
    Run,
)
from kourse.assessment.tables import (
    assignment_replica,
    gradable,
    gradable_member,
    gradable_run,
)
from kourse.contracts.events import PublishedCriterion, PublishedLatePolicy
from kourse.contracts.resources.course import FeedbackRelease
from kourse.rules.rubric import Mark


async def save_assignment(tx: AsyncSession, values: Mapping[str, Any]) -> None:
    """The assignment stands as given."""
    await tx.execute(
        insert(assignment_replica)
        .values(tenant=tx.info["tenant"], **values)
        .on_conflict_do_update(index_elements=["assignment_id"], set_=dict(values))
    )


async def find_assignment(tx: AsyncSession, assignment_id: UUID) -> Assignment | None:
    """The assignment, withdrawn ones included; None while it is not known here."""
    a = assignment_replica.c
    row = (
        await tx.execute(select(assignment_replica).where(a.assignment_id == assignment_id))
    ).one_or_none()
    return None if row is None else _assignment(row)


async def find_assignment_named(tx: AsyncSession, course: str, key: str) -> Assignment | None:
    """The course's assignment of that key, withdrawn ones included; None while it is not known here."""
    a = assignment_replica.c
    query = select(assignment_replica).where(a.course == course, a.assignment == key)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _assignment(row)


async def list_assignments(tx: AsyncSession, course: str) -> list[Assignment]:
    """The assignments of the course's live version, by key."""
    a = assignment_replica.c
    query = (
        select(assignment_replica).where(a.course == course, ~a.withdrawn).order_by(a.assignment)
    )
    return [_assignment(row) for row in await tx.execute(query)]


async def save_hand_in(
    tx: AsyncSession, values: Mapping[str, Any], members: Sequence[tuple[UUID, UUID]]
) -> bool:
    """The hand-in counts from now on, for these learners and enrolments; False when a later one does."""
    made = insert(gradable).values(tenant=tx.info["tenant"], **values)
    saved = await tx.execute(
        made.on_conflict_do_update(
            index_elements=["submission_id"],
            set_={name: values[name] for name in ("number", "submitted_at", "due_at")},
            where=gradable.c.number < made.excluded.number,
        ).returning(gradable.c.number)
    )
    if saved.one_or_none() is None:
        return False
    of = gradable_member.c.submission_id == values["submission_id"]
    await tx.execute(delete(gradable_member).where(of))
    rows = [
        {
            "submission_id": values["submission_id"],
            "learner_id": learner_id,
            "tenant": tx.info["tenant"],
            "enrolment_id": enrolment_id,
        }
        for learner_id, enrolment_id in members
    ]
    await tx.execute(insert(gradable_member).values(rows))
    return True


async def find(tx: AsyncSession, submission_id: UUID, *, lock: bool = False) -> Gradable | None:
    """What was handed in, or None; with ``lock`` nobody else grades it until the commit."""
    query = select(gradable).where(gradable.c.submission_id == submission_id)
    row = (await tx.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else _gradable(row)


async def list_members(tx: AsyncSession, submission_id: UUID) -> list[UUID]:
    """Learners for whom it counts."""
    m = gradable_member.c
    query = select(m.learner_id).where(m.submission_id == submission_id).order_by(m.learner_id)
    return list(await tx.scalars(query))


async def list_of_assignment(
    tx: AsyncSession,
    course: str,
    assignment: str,
    *,
    cohorts: Collection[str] | None,
    waiting: bool | None,
    after: UUID | None,
    limit: int,
) -> list[Gradable]:
    """What was handed in for an assignment, by id.

    Args:
        tx: The transaction.
        course: The course.
        assignment: Key of the assignment.
        cohorts: Only of these cohorts; of everybody when None.
        waiting: Only what waits for a grader, or only what is graded; all when None.
        after: Only what comes after this one.
        limit: Most of them.
    """
    g = gradable.c
    query = select(gradable).where(g.course == course, g.assignment == assignment)
    if cohorts is not None:
        query = query.where(g.cohort.in_(cohorts))
    if waiting is not None:
        query = query.where((g.graded_number < g.number) == waiting)
    if after is not None:
        query = query.where(g.submission_id > after)
    query = query.order_by(g.submission_id).limit(limit)
    return [_gradable(row) for row in await tx.execute(query)]


async def take_withheld(
    tx: AsyncSession, course: str, assignment: str, cohorts: Collection[str] | None
) -> list[Gradable]:
    """Gradings of an assignment that learners do not see yet, nobody else's until the commit."""
    g = gradable.c
    query = select(gradable).where(
        g.course == course, g.assignment == assignment, g.released_run < g.run
    )
    if cohorts is not None:
        query = query.where(g.cohort.in_(cohorts))
    query = query.order_by(g.submission_id).with_for_update()
    return [_gradable(row) for row in await tx.execute(query)]


async def add_run(tx: AsyncSession, run: Run) -> None:
    """The run is kept, and what was handed in stands at it."""
    await tx.execute(
        insert(gradable_run).values(
            submission_id=run.submission_id,
            run=run.run,
            tenant=tx.info["tenant"],
            number=run.number,
            grader_id=run.grader_id,
            marks=_stored(run.decision),
            comment=run.decision.comment,
            rubric=run.rubric,
            late_policy=run.late_policy,
            earned=run.outcome.earned,
            deduction=run.outcome.deduction,
            override=run.override,
            reason=run.reason,
            points=run.points,
            max_points=run.max_points,
            graded_at=run.graded_at,
        )
    )
    await tx.execute(
        update(gradable)
        .where(gradable.c.submission_id == run.submission_id)
        .values(run=run.run, graded_number=run.number)
    )


async def set_released(tx: AsyncSession, submission_id: UUID, run: int) -> None:
    """Learners see this run from now on."""
    await tx.execute(
        update(gradable).where(gradable.c.submission_id == submission_id).values(released_run=run)
    )


async def find_run(tx: AsyncSession, submission_id: UUID, run: int) -> Run | None:
    """A grading run, or None when there is none of that number."""
    r = gradable_run.c
    query = select(gradable_run).where(r.submission_id == submission_id, r.run == run)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _run(row)


async def list_scores(
    tx: AsyncSession, enrolment_ids: Collection[UUID], course: str, *, released_only: bool
) -> list[tuple[UUID, Gradable, Run]]:
    """What hand-ins came to that count for these enrolments: enrolment, hand-in and grading run.

    Args:
        tx: The transaction.
        enrolment_ids: For whom.
        course: Of which course.
        released_only: Whether only what learners see, else each newest run.
    """
    g, m, r = gradable.c, gradable_member.c, gradable_run.c
    shown = g.released_run if released_only else g.run
    query = (
        select(m.enrolment_id, gradable_run, *(column for column in g if column.name not in r))
        .add_columns(g.number.label("last"), g.run.label("newest"))
        .join(gradable, g.submission_id == m.submission_id)
        .join(gradable_run, (r.submission_id == g.submission_id) & (r.run == shown))
        .where(m.enrolment_id.in_(enrolment_ids), g.course == course)
    )
    return [
        (row.enrolment_id, _gradable(row, number=row.last, run=row.newest), _run(row))
        for row in await tx.execute(query)
    ]


def _stored(decision: Decision) -> dict[str, Any]:
    return {
        "points": _exact(decision.points),
        "criteria": {
            key: {
                "level": one.mark.level,
                "points": _exact(one.mark.points),
                "comment": one.comment,
            }
            for key, one in decision.marks.items()
        },
    }


def _exact(value: Fraction | None) -> str | None:
    return None if value is None else f"{value.numerator}/{value.denominator}"


def _read(value: str | None) -> Fraction | None:
    return None if value is None else Fraction(value)


def _decision(stored: Mapping[str, Any], comment: str | None) -> Decision:
    marks = {
        key: Criticism(Mark(one["level"], _read(one["points"])), one["comment"])
        for key, one in stored["criteria"].items()
    }
    return Decision(marks, _read(stored["points"]), comment)


def _run(row: Row[Any]) -> Run:
    return Run(
        submission_id=row.submission_id,
        run=row.run,
        number=row.number,
        grader_id=row.grader_id,
        decision=_decision(row.marks, row.comment),
        rubric=row.rubric,
        late_policy=row.late_policy,
        outcome=Outcome(row.earned, row.deduction),
        override=row.override,
        reason=row.reason,
        points=row.points,
        max_points=row.max_points,
        graded_at=row.graded_at,
    )


def _gradable(row: Row[Any], **known: int) -> Gradable:
    values = {name: known.get(name, getattr(row, name)) for name in Gradable.__dataclass_fields__}
    return Gradable(**values)


def _assignment(row: Row[Any]) -> Assignment:
    return Assignment(
        id=row.assignment_id,
        course=row.course,
        key=row.assignment,
        title=row.title,
        category=row.category,
        points=row.points,
        rubric=tuple(PublishedCriterion.model_validate(entry) for entry in row.rubric),
        late_policy=PublishedLatePolicy.model_validate(row.late_policy).policy(),
        release=FeedbackRelease(row.release),
    )
