"""The answer log and the mastery folded from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.tables import answer_log, mastery
from kourse.rules.mastery import Band, Mastery

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


@dataclass(frozen=True, slots=True)
class Logged:
    """An answer as the fold sees it."""

    skills: tuple[str, ...]
    correct: bool


@dataclass(frozen=True, slots=True)
class Fold:
    """A state of mastery and what it was folded under."""

    state: Mastery
    basis: str


async def log_answers(tx: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """The answers are in the log; an answer that is there already takes its new grading."""
    statement = insert(answer_log)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["source_id", "slot"],
            set_={name: statement.excluded[name] for name in ("share", "correct", "skills")},
        ),
        list(rows),
    )


async def forget_answers(tx: AsyncSession, source_id: UUID) -> set[str]:
    """The answers of an attempt are in the log no more; the skills that they touched."""
    gone = await tx.scalars(
        delete(answer_log).where(answer_log.c.source_id == source_id).returning(answer_log.c.skills)
    )
    return {skill for skills in gone for skill in skills}


async def lock_learner(tx: AsyncSession, learner_id: UUID, course: str) -> None:
    """Folds of this learner and course come one by one until the commit."""
    await tx.execute(_LOCK, {"key": f"{tx.info['tenant']}/{learner_id}/{course}"})


async def list_logged(
    tx: AsyncSession, learner_id: UUID, course: str, skills: Collection[str]
) -> list[Logged]:
    """The learner's answers that touch these skills, oldest first."""
    found = await tx.execute(
        select(answer_log.c.skills, answer_log.c.correct)
        .where(
            answer_log.c.learner_id == learner_id,
            answer_log.c.course == course,
            answer_log.c.skills.overlap(list(skills)),
        )
        .order_by(answer_log.c.at, answer_log.c.source_id, answer_log.c.slot)
    )
    return [Logged(tuple(row.skills), row.correct) for row in found]


async def save_mastery(
    tx: AsyncSession, learner_id: UUID, course: str, folds: Mapping[str, Fold]
) -> None:
    """The learner's mastery of these skills stands as folded."""
    statement = insert(mastery)
    fields = ("probability", "answers", "band", "below", "basis")
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant", "learner_id", "course", "skill"],
            set_={
                **{name: statement.excluded[name] for name in fields},
                "updated_at": func.clock_timestamp(),
            },
        ),
        [
            {
                "tenant": tx.info["tenant"],
                "learner_id": learner_id,
                "course": course,
                "skill": skill,
                "probability": fold.state.probability,
                "answers": fold.state.answers,
                "band": fold.state.band.value,
                "below": fold.state.below,
                "basis": fold.basis,
            }
            for skill, fold in folds.items()
        ],
    )


async def list_mastery(
    tx: AsyncSession, learner_ids: Collection[UUID], courses: Collection[str]
) -> dict[tuple[UUID, str], dict[str, Fold]]:
    """Mastery by skill, for each learner and course where there are answers."""
    statement = select(mastery).where(
        mastery.c.tenant == tx.info["tenant"],
        mastery.c.learner_id.in_(learner_ids),
        mastery.c.course.in_(courses),
    )
    found: dict[tuple[UUID, str], dict[str, Fold]] = {}
    for row in await tx.execute(statement):
        state = Mastery(row.probability, row.answers, Band(row.band), row.below)
        found.setdefault((row.learner_id, row.course), {})[row.skill] = Fold(state, row.basis)
    return found


async def list_outdated(
    tx: AsyncSession, course: str, bases: Mapping[str, str], *, after: UUID, limit: int
) -> list[UUID]:
    """Learners whose mastery of a skill rests on something else, or who have none of one yet.

    Args:
        tx: The transaction.
        course: The course.
        bases: What a fold of each of its skills should rest on.
        after: Only learners after this one.
        limit: Most learners.
    """
    current = [tuple_(mastery.c.skill, mastery.c.basis).in_(list(bases.items()))]
    statement = (
        select(mastery.c.learner_id)
        .where(
            mastery.c.tenant == tx.info["tenant"],
            mastery.c.course == course,
            mastery.c.learner_id > after,
        )
        .group_by(mastery.c.learner_id)
        .having(func.count().filter(*current) < len(bases))
        .order_by(mastery.c.learner_id)
        .limit(limit)
    )
    return list(await tx.scalars(statement))
