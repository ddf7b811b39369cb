"""Routes for learners; a foreign thing is the same 404 as one that does not exist."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response

from kourse.assessment import schemas
from kourse.assessment.domain.gradebook import reasons
from kourse.assessment.errors import NotEnrolled
from kourse.assessment.service import (
    attempts,
    catalogue,
    enrolments,
    gatekeeping,
    gradebook,
    judging,
    mastery,
    practice,
    results,
)
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.meta import Name
from kourse.kit.auth import Actor, actor_of, allow
from kourse.kit.clock import database_now
from kourse.kit.db import Transaction
from kourse.kit.http.routes import patient
from kourse.kit.idempotency import IdempotencyKey, idempotency
from kourse.kit.runtime import CurrentRuntime
from kourse.rules.code import Judged

MAX_SLOT = 10_000


async def _enrolment_on_its_way(request: Request) -> AsyncIterator[None]:
    """Turns "not enrolled" into "come again" where course knows of an enrolment that we do not."""
    try:
        yield
    except NotEnrolled as error:
        actor = await actor_of(request)
        runtime = request.app.state.runtime
        raise await enrolments.refusal(runtime, actor.tenant, actor.user_id, error) from error


router = APIRouter(tags=["learning"], dependencies=[Depends(_enrolment_on_its_way)])

Taker = Annotated[Actor, allow(Permission.ATTEMPT_TAKE)]
Student = Annotated[Actor, allow(Permission.COURSE_STUDY)]
Slot = Annotated[int, Path(ge=1, le=MAX_SLOT)]


@router.get("/v1/courses/{course}/exams")
async def list_exams(actor: Taker, tx: Transaction, course: Name) -> schemas.ExamList:
    """Exams of a course that are open to the learner or were, with their own window and attempts."""
    return schemas.ExamList(items=await catalogue.list_exams(tx, actor.user_id, course))


@router.get("/v1/exams/{exam}")
async def get_exam(actor: Taker, tx: Transaction, exam: Name) -> schemas.ExamView:
    """One exam, with the learner's own window and attempts."""
    return await catalogue.get_exam(tx, actor.user_id, exam)


@router.post("/v1/exams/{exam}/attempts", status_code=201)
async def start_attempt(
    actor: Taker,
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency(required=True)],
    exam: Name,
    response: Response,
) -> schemas.AttemptView:
    """Starts an attempt; 200 with the running one when there is one."""
    sitting, started = await attempts.start(tx, actor.user_id, exam)
    response.status_code = 201 if started else 200
    view = schemas.AttemptView.sat(sitting, await database_now(tx))
    return await key.remember(tx, response.status_code, view)


@router.get("/v1/attempts/{attempt}")
async def get_attempt(actor: Taker, tx: Transaction, attempt: UUID) -> schemas.AttemptView:
    """An attempt with its questions and saved answers while it runs."""
    sitting = await attempts.read(tx, actor.user_id, attempt)
    return schemas.AttemptView.sat(sitting, await database_now(tx))


@router.put("/v1/attempts/{attempt}/answers/{slot}")
async def save_answer(
    actor: Taker, tx: Transaction, attempt: UUID, slot: Slot, body: schemas.SaveAnswer
) -> schemas.SavedView:
    """Saves an answer; repeating it is harmless, of several tabs the highest `seq` wins."""
    saved_at = await attempts.save(tx, actor.user_id, attempt, slot, body.seq, body.answer)
    return schemas.SavedView(slot=slot, seq=body.seq, saved_at=saved_at)


@router.post("/v1/attempts/{attempt}/submission")
async def submit_attempt(
    actor: Taker,
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency(required=True)],
    attempt: UUID,
) -> schemas.AttemptSummary:
    """Submits an attempt for grading; one that is submitted already stays as it is."""
    submitted = await attempts.submit(tx, actor.user_id, attempt)
    return await key.remember(tx, 200, schemas.AttemptSummary.of(submitted))


@router.get("/v1/attempts/{attempt}/result")
async def get_result(actor: Taker, tx: Transaction, attempt: UUID) -> schemas.ResultView:
    """What is released of an attempt: the score, later or never the answers and explanations."""
    return schemas.ResultView.told(await results.result(tx, actor.user_id, attempt))


async def _open_lesson(actor: Student, runtime: CurrentRuntime, course: Name, lesson: Name) -> None:
    """Course is asked before the transaction begins."""
    await gatekeeping.require_open(runtime, actor.tenant, actor.user_id, course, lesson)


@router.get("/v1/courses/{course}/lessons/{lesson}/practice", dependencies=[Depends(_open_lesson)])
async def list_practice(
    actor: Student, tx: Transaction, course: Name, lesson: Name
) -> schemas.PracticeList:
    """The practice questions of a lesson that is open, in another order and under other ids at each visit."""
    offered = await practice.lesson_practice(tx, actor.user_id, course, lesson)
    return schemas.PracticeList(items=[schemas.PracticeView.offered(one) for one in offered])


async def _judged(
    actor: Student, runtime: CurrentRuntime, pool: Name, question: Name, body: schemas.CheckAnswer
) -> Judged | None:
    """The judge is asked before the transaction begins."""
    return await judging.judge_practice(
        runtime, actor.tenant, actor.user_id, pool, question, seed=body.seed, payload=body.answer
    )


@router.post("/v1/practice/{pool}/{question}/answers", dependencies=[patient])
async def check_practice(
    actor: Student,
    judged: Annotated[Judged | None, Depends(_judged)],
    tx: Transaction,
    key: Annotated[IdempotencyKey, idempotency()],
    pool: Name,
    question: Name,
    body: schemas.CheckAnswer,
) -> schemas.CheckedView:
    """Checks a practice answer at once, explains it, and moves mastery."""
    checked = await practice.check(
        tx, actor.user_id, pool, question, seed=body.seed, payload=body.answer, judged=judged
    )
    return await key.remember(tx, 200, schemas.CheckedView.of(checked))


@router.get("/v1/courses/{course}/mastery")
async def list_mastery(actor: Student, tx: Transaction, course: Name) -> schemas.MasteryList:
    """The learner's mastery of each skill of a course."""
    found = await mastery.course_mastery(tx, actor.user_id, course)
    return schemas.MasteryList(items=[schemas.MasteryView.of(one) for one in found])


@router.get("/v1/courses/{course}/gradebook")
async def get_gradebook(
    actor: Annotated[Actor, allow(Permission.GRADEBOOK_OWN)], tx: Transaction, course: Name
) -> schemas.GradebookView:
    """The learner's own grades in a course, from released scores."""
    return schemas.GradebookView.of(await gradebook.own_book(tx, actor.user_id, course))


@router.get("/v1/courses/{course}/gradebook/explanation")
async def explain_gradebook(
    actor: Annotated[Actor, allow(Permission.GRADEBOOK_OWN)], tx: Transaction, course: Name
) -> schemas.GradeReasonsView:
    """How the learner's total came about: weights in effect, what counts, what was dropped and why."""
    book = await gradebook.own_book(tx, actor.user_id, course)
    return schemas.GradeReasonsView.told(reasons(book))
