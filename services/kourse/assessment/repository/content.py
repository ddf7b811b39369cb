"""Declared pools and exams with their versions; also written under the operator's role."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.exams import Drawable, ExamContent, ExamPolicy
from kourse.assessment.domain.facts import Exam
from kourse.assessment.repository.questions import question_of
from kourse.assessment.tables import attempt, exam, exam_version, pool, question, question_version
from kourse.contracts.resources.pool import Question
from kourse.rules.grading import REVIEWED

NOW = func.clock_timestamp()


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool without its questions."""

    id: UUID
    name: str
    course: str | None
    labels: frozenset[str]
    version: int
    digest: str
    retired: bool


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question of a pool as it is stored."""

    id: UUID
    key: str
    position: int
    version_id: UUID
    removed: bool


@dataclass(frozen=True, slots=True)
class PracticeQuestion:
    """A question outside of any attempt, with the salt that makes its ids opaque."""

    id: UUID
    pool: str
    key: str
    version_id: UUID
    salt: bytes
    body: Question


async def find_pool(tx: AsyncSession, name: str) -> PoolRow | None:
    """The pool of that name, retired ones included; locked until the commit."""
    row = (
        await tx.execute(select(pool).where(pool.c.name == name).with_for_update())
    ).one_or_none()
    return None if row is None else _pool(row)


async def list_pools(tx: AsyncSession, names: Collection[str]) -> list[PoolRow]:
    """The pools of these names that are declared now."""
    found = await tx.execute(
        select(pool).where(pool.c.name.in_(names), pool.c.retired_at.is_(None))
    )
    return [_pool(row) for row in found]


async def save_pool(tx: AsyncSession, values: Mapping[str, Any]) -> None:
    """The pool stands as given and is not retired."""
    fresh = {**values, "updated_at": NOW, "retired_at": None}
    await tx.execute(
        insert(pool).values(**fresh).on_conflict_do_update(index_elements=["id"], set_=fresh)
    )


async def retire_pool(tx: AsyncSession, name: str) -> None:
    """The pool can be drawn from by no new exam."""
    await tx.execute(
        update(pool).where(pool.c.name == name, pool.c.retired_at.is_(None)).values(retired_at=NOW)
    )


async def delete_pool(tx: AsyncSession, name: str) -> None:
    """The pool and its questions are gone; a foreign key refuses when attempts hold them."""
    await tx.execute(delete(pool).where(pool.c.name == name))


async def list_question_rows(tx: AsyncSession, pool_id: UUID) -> list[QuestionRow]:
    """Every question the pool ever had, in order."""
    found = await tx.execute(
        select(question).where(question.c.pool_id == pool_id).order_by(question.c.position)
    )
    return [
        QuestionRow(row.id, row.key, row.position, row.version_id, row.removed_at is not None)
        for row in found
    ]


async def add_question_versions(tx: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Each version is there; equal content is the same version."""
    await tx.execute(insert(question_version).on_conflict_do_nothing(), list(rows))


async def save_questions(tx: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Each question stands as given; a question keeps the salt it had."""
    statement = insert(question)
    changes = {
        name: statement.excluded[name]
        for name in ("position", "version_id", "type", "difficulty", "skills")
    }
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_={**changes, "removed_at": None}
        ),
        list(rows),
    )


async def remove_questions(tx: AsyncSession, ids: Iterable[UUID]) -> None:
    """The questions are drawn no more; attempts that have them keep them."""
    await tx.execute(update(question).where(question.c.id.in_(list(ids))).values(removed_at=NOW))


async def count_questions(tx: AsyncSession, pools: Collection[str]) -> dict[str, int]:
    """How many questions each pool holds now."""
    found = await tx.execute(
        select(pool.c.name, func.count())
        .join(question, question.c.pool_id == pool.c.id)
        .where(pool.c.name.in_(pools), question.c.removed_at.is_(None))
        .group_by(pool.c.name)
    )
    return {row[0]: row[1] for row in found}


async def list_drawable(
    tx: AsyncSession, course: str, names: Collection[str], labels: Collection[str]
) -> list[Drawable]:
    """Questions of the pools named and of those with a label, as far as the course may use them.

    Retired pools are included: an exam that drew from one can still be taken.
    """
    found = await tx.execute(
        select(
            question.c.id,
            question.c.version_id,
            pool.c.name,
            question.c.position,
            pool.c.labels,
            question.c.skills,
            question.c.difficulty,
        )
        .join(pool, pool.c.id == question.c.pool_id)
        .where(
            question.c.removed_at.is_(None),
            or_(pool.c.course.is_(None), pool.c.course == course),
            or_(pool.c.name.in_(names), pool.c.labels.overlap(list(labels))),
        )
    )
    return [
        Drawable(
            id=row.id,
            version_id=row.version_id,
            pool=row.name,
            place=(row.name, row.position),
            labels=frozenset(row.labels),
            skills=tuple(row.skills),
            difficulty=row.difficulty,
        )
        for row in found
    ]


async def find_pool_course(tx: AsyncSession, name: str) -> str | None:
    """The course that the pool belongs to; None when it is shared or unknown."""
    found: str | None = await tx.scalar(select(pool.c.course).where(pool.c.name == name))
    return found


async def list_practice_questions(
    tx: AsyncSession, course: str, pool_name: str, keys: Collection[str]
) -> list[PracticeQuestion]:
    """Questions of a pool that can be checked at once and that a course may use, in declared order.

    All of them when no key is named.
    """
    statement = (
        select(
            question.c.id,
            question.c.key,
            question.c.version_id,
            question.c.salt,
            question_version.c.body,
        )
        .join(pool, pool.c.id == question.c.pool_id)
        .join(question_version, question_version.c.id == question.c.version_id)
        .where(
            pool.c.name == pool_name,
            or_(pool.c.course.is_(None), pool.c.course == course),
            question.c.removed_at.is_(None),
            question.c.type.not_in(REVIEWED),
        )
        .order_by(question.c.position)
    )
    if keys:
        statement = statement.where(question.c.key.in_(keys))
    return [
        PracticeQuestion(
            row.id,
            pool_name,
            row.key,
            row.version_id,
            row.salt,
            question_of(row.version_id, row.body),
        )
        for row in await tx.execute(statement)
    ]


async def list_bodies(tx: AsyncSession, version_ids: Iterable[UUID]) -> dict[UUID, Question]:
    """The questions of these versions."""
    found = await tx.execute(
        select(question_version.c.id, question_version.c.body).where(
            question_version.c.id.in_(list(version_ids))
        )
    )
    return {row.id: question_of(row.id, row.body) for row in found}


async def find_exam(tx: AsyncSession, name: str, *, lock: bool = False) -> Exam | None:
    """The exam of that name, retired ones included; if asked locked, which does not stop starts."""
    statement = select(exam).where(exam.c.name == name)
    if lock:
        statement = statement.with_for_update(key_share=True)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else exam_from(row)


async def lock_exam(tx: AsyncSession, id_: UUID) -> None:
    """Nobody else decides about the exam until the commit; attempts go on."""
    await tx.execute(select(exam.c.id).where(exam.c.id == id_).with_for_update(key_share=True))


async def stop_starts(tx: AsyncSession, name: str) -> None:
    """No attempt at the exam is being started from now until the commit."""
    await tx.execute(select(exam.c.id).where(exam.c.name == name).with_for_update())


async def get_exam(tx: AsyncSession, id_: UUID) -> Exam:
    """The exam with that id, retired ones included."""
    return exam_from((await tx.execute(select(exam).where(exam.c.id == id_))).one())


async def list_exams(tx: AsyncSession, course: str | None = None) -> list[Exam]:
    """Exams of a course, or of the whole tenant, by name; retired ones included."""
    statement = select(exam).order_by(exam.c.name)
    if course is not None:
        statement = statement.where(exam.c.course == course)
    return [exam_from(row) for row in await tx.execute(statement)]


async def save_exam(tx: AsyncSession, values: Mapping[str, Any]) -> None:
    """The exam stands as given and is not retired."""
    fresh = {**values, "updated_at": NOW, "retired_at": None}
    await tx.execute(
        insert(exam).values(**fresh).on_conflict_do_update(index_elements=["id"], set_=fresh)
    )


async def add_exam_version(tx: AsyncSession, values: Mapping[str, Any]) -> None:
    """The version is there; versions are never changed."""
    await tx.execute(insert(exam_version).values(**values).on_conflict_do_nothing())


async def get_exam_content(tx: AsyncSession, version_id: UUID) -> ExamContent:
    """The content of one version."""
    stored = await tx.execute(select(exam_version.c.content).where(exam_version.c.id == version_id))
    return ExamContent.model_validate(stored.scalar_one())


async def list_versions(tx: AsyncSession, ids: Collection[UUID]) -> dict[UUID, ExamContent]:
    """The contents of these versions."""
    found = await tx.execute(
        select(exam_version.c.id, exam_version.c.content).where(exam_version.c.id.in_(ids))
    )
    return {row.id: ExamContent.model_validate(row.content) for row in found}


async def list_exam_contents(tx: AsyncSession) -> dict[str, ExamContent]:
    """The live content of every declared exam of the tenant, by name."""
    found = await tx.execute(
        select(exam.c.name, exam_version.c.content)
        .join(exam_version, exam_version.c.id == exam.c.version_id)
        .where(exam.c.retired_at.is_(None))
    )
    return {row.name: ExamContent.model_validate(row.content) for row in found}


async def retire_exam(tx: AsyncSession, name: str) -> None:
    """The exam can be neither seen nor started."""
    await tx.execute(
        update(exam).where(exam.c.name == name, exam.c.retired_at.is_(None)).values(retired_at=NOW)
    )


async def delete_exam(tx: AsyncSession, name: str) -> None:
    """The exam is gone, with its attempts and their scores (by foreign keys)."""
    await tx.execute(delete(exam).where(exam.c.name == name))


async def mark_for_reach(tx: AsyncSession, exam_id: UUID) -> None:
    """What changed for the exam is still to reach its running attempts and its scores."""
    await tx.execute(update(exam).where(exam.c.id == exam_id).values(reach_pending=True))


async def take_for_reach(tx: AsyncSession, id_: UUID) -> Exam | None:
    """The exam, if a change of it was still to reach attempts and scores; it is taken as done."""
    row = (
        await tx.execute(
            update(exam)
            .where(exam.c.id == id_, exam.c.reach_pending)
            .values(reach_pending=False)
            .returning(exam)
        )
    ).one_or_none()
    return None if row is None else exam_from(row)


async def mark_course_for_reach(tx: AsyncSession, course: str) -> None:
    """Changed dates of the course's exams are still to reach running attempts and scores."""
    await tx.execute(update(exam).where(exam.c.course == course).values(reach_pending=True))


async def count_attempts(
    tx: AsyncSession, names: Collection[str], states: Collection[str] = ()
) -> dict[str, int]:
    """How many attempts each exam has, of all states or of those named."""
    statement = (
        select(exam.c.name, func.count(attempt.c.exam_id))
        .join(attempt, attempt.c.exam_id == exam.c.id)
        .where(exam.c.name.in_(names))
        .group_by(exam.c.name)
    )
    if states:
        statement = statement.where(attempt.c.state.in_(states))
    return {row[0]: row[1] for row in await tx.execute(statement)}


def exam_from(row: Row[Any]) -> Exam:
    """The exam in a row of its table."""
    return Exam(
        id=row.id,
        name=row.name,
        course=row.course,
        title=row.title,
        purpose=row.purpose,
        version=row.version,
        version_id=row.version_id,
        digest=row.digest,
        policy=ExamPolicy.model_validate(row.policy),
        retired=row.retired_at is not None,
    )


def _pool(row: Row[Any]) -> PoolRow:
    return PoolRow(
        row.id,
        row.name,
        row.course,
        frozenset(row.labels),
        row.version,
        row.digest,
        row.retired_at is not None,
    )
