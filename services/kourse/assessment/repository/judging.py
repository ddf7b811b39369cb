"""Programs that wait for the judge, who takes one, and what came of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.facts import AttemptState
from kourse.assessment.repository.questions import question_of
from kourse.assessment.tables import answer, attempt, attempt_item, judging, question_version
from kourse.contracts.resources.pool import Question
from kourse.rules.code import Judged, Outcome, Trial

NOW = func.clock_timestamp()
_KEY = (judging.c.attempt_id, judging.c.slot, judging.c.question_version_id, judging.c.seq)


@dataclass(frozen=True, slots=True)
class Order:
    """A program to judge: which answer, by which version's tests."""

    attempt_id: UUID
    slot: int
    version_id: UUID
    seq: int


@dataclass(frozen=True, slots=True)
class Program:
    """What the judge needs to know of an order."""

    question: Question
    source: str
    failures: int


async def request(tx: AsyncSession, orders: Iterable[Order]) -> None:
    """Each of these waits for the judge, unless it does or did already."""
    rows = [
        {
            "attempt_id": one.attempt_id,
            "slot": one.slot,
            "question_version_id": one.version_id,
            "seq": one.seq,
            "tenant": tx.info["tenant"],
        }
        for one in orders
    ]
    if rows:
        await tx.execute(insert(judging).on_conflict_do_nothing(), rows)


async def request_for_exam(tx: AsyncSession, exam_id: UUID, versions: Mapping[UUID, UUID]) -> None:
    """Every program in a graded attempt at the exam waits for the judge by these versions, by question."""
    for question_id, version_id in versions.items():
        chosen = (
            select(
                attempt_item.c.attempt_id,
                attempt_item.c.slot,
                literal(version_id, judging.c.question_version_id.type),
                answer.c.seq,
                attempt_item.c.tenant,
            )
            .join(attempt, attempt.c.id == attempt_item.c.attempt_id)
            .join(
                answer,
                (answer.c.attempt_id == attempt_item.c.attempt_id)
                & (answer.c.slot == attempt_item.c.slot),
            )
            .where(
                attempt.c.exam_id == exam_id,
                attempt.c.state == AttemptState.GRADED,
                attempt_item.c.question_id == question_id,
                answer.c.body.is_not(None),
            )
        )
        names = ["attempt_id", "slot", "question_version_id", "seq", "tenant"]
        await tx.execute(insert(judging).from_select(names, chosen).on_conflict_do_nothing())


async def list_judged(tx: AsyncSession, attempt_id: UUID) -> dict[tuple[int, UUID, int], Judged]:
    """What the judge said of an attempt's programs, by slot, version and ``seq`` of the answer."""
    found = await tx.execute(
        select(judging).where(judging.c.attempt_id == attempt_id, judging.c.judged_at.is_not(None))
    )
    return {(row.slot, row.question_version_id, row.seq): _judged(row) for row in found}


async def claim(tx: AsyncSession, most: int, lease: timedelta) -> list[tuple[str, Order]]:
    """Orders of any tenant that are due, oldest first, with their tenants; for so long nobody else's.

    Under the worker role; committed before the judge is asked.
    """
    due = (
        select(*_KEY)
        .where(judging.c.judged_at.is_(None), judging.c.due_at <= NOW)
        .order_by(judging.c.due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        # As a plain subquery it may be run for each row, and each run locks other rows: more than asked for.
        .cte("due")
        .prefix_with("MATERIALIZED")
    )
    found = await tx.execute(
        update(judging)
        .where(tuple_(*_KEY).in_(select(due)))
        .values(due_at=NOW + lease)
        .returning(judging.c.tenant, *_KEY)
    )
    return [(row[0], Order(*row[1:])) for row in found]


async def postpone(tx: AsyncSession, orders: Collection[Order], delay: timedelta) -> None:
    """These are due again after so long; also how a lease is renewed. Under any role."""
    places = [(one.attempt_id, one.slot, one.version_id, one.seq) for one in orders]
    await tx.execute(
        update(judging)
        .where(tuple_(*_KEY).in_(places), judging.c.judged_at.is_(None))
        .values(due_at=NOW + delay)
    )


async def find_program(tx: AsyncSession, order: Order) -> Program | None:
    """The program of an order, or None when nobody waits for it any more: the answer is another by now."""
    row = (
        await tx.execute(
            select(judging.c.failures, answer.c.body, question_version.c.body.label("question"))
            .join(
                answer,
                (answer.c.attempt_id == judging.c.attempt_id) & (answer.c.slot == judging.c.slot),
            )
            .join(question_version, question_version.c.id == judging.c.question_version_id)
            .where(
                *_is(order),
                answer.c.seq == order.seq,
                answer.c.body.is_not(None),
                judging.c.judged_at.is_(None),
            )
        )
    ).one_or_none()
    if row is None:
        return None
    return Program(question_of(order.version_id, row.question), row.body["source"], row.failures)


async def save(tx: AsyncSession, order: Order, judged: Judged) -> bool:
    """What came of it stands there; False when it did already."""
    saved = await tx.execute(
        update(judging)
        .where(*_is(order), judging.c.judged_at.is_(None))
        .values(
            judged_at=NOW,
            results={key: asdict(one) for key, one in judged.results.items()},
            problem=judged.problem or None,
        )
        .returning(judging.c.slot)
    )
    return saved.one_or_none() is not None


async def note_failure(tx: AsyncSession, order: Order, delay: timedelta) -> None:
    """The judge failed at it once more; it is due again after so long."""
    await tx.execute(
        update(judging)
        .where(*_is(order), judging.c.judged_at.is_(None))
        .values(failures=judging.c.failures + 1, due_at=NOW + delay)
    )


async def forget(tx: AsyncSession, order: Order) -> None:
    """Nobody waits for it; it is not due again."""
    await tx.execute(judging.delete().where(*_is(order), judging.c.judged_at.is_(None)))


async def backlog(tx: AsyncSession) -> tuple[int, datetime | None]:
    """How many wait, of all tenants, and since when the oldest does. Under the worker role."""
    row = (
        await tx.execute(
            select(func.count(), func.min(judging.c.queued_at)).where(judging.c.judged_at.is_(None))
        )
    ).one()
    return row[0], row[1]


def _is(order: Order) -> tuple[Any, ...]:
    return (
        judging.c.attempt_id == order.attempt_id,
        judging.c.slot == order.slot,
        judging.c.question_version_id == order.version_id,
        judging.c.seq == order.seq,
    )


def _judged(row: Row[Any]) -> Judged:
    trials = {
        key: Trial(Outcome(one["outcome"]), one["seconds"], one["output"], one["error"])
        for key, one in (row.results or {}).items()
    }
    return Judged(trials, row.problem or "")
