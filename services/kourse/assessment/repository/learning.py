"""The answer log and the mastery folded from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
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
    tx: AsyncSession, learner_id: UUID, courses: Collection[str]
) -> dict[tuple[str, str], Fold]:
    """The learner's mastery by course and skill, as far as there are answers."""
    found = await tx.execute(
        select(mastery).where(mastery.c.learner_id == learner_id, mastery.c.course.in_(courses))
    )
    return {
        (row.course, row.skill): Fold(
            Mastery(row.probability, row.answers, Band(row.band), row.below), row.basis
        )
        for row in found
    }
