"""Why a learner can or cannot start an exam, by the decisions that a start makes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain import entry
from kourse.assessment.domain.terms import Terms
from kourse.assessment.repository import attempts, content, replicas
from kourse.assessment.service import attempts as taking
from kourse.assessment.service import teaching
from kourse.assessment.service.access import terms_of_enrolments
from kourse.contracts.errors import KourseError
from kourse.contracts.explanations import Explanation, Rule
from kourse.kit.clock import database_now
from kourse.kit.db import Database


async def explain_exam(database: Database, tenant: str, learner_id: UUID, name: str) -> Explanation:
    """What a start by that learner would be answered now, found by starting and rolling back.

    Args:
        database: The service's.
        tenant: The tenant.
        learner_id: The learner.
        name: The exam.
    """
    async with database.rehearsal(tenant) as tx:
        rules = await _rules(tx, learner_id, name)
        refusal: KourseError | None = None
        try:
            await taking.start(tx, learner_id, name)
        except KourseError as error:
            refusal = error
    if all(rule.holds for rule in rules):
        rules.append(_drawable(refusal))
    return Explanation(
        subject=f"exam {name}",
        learner_id=learner_id,
        allowed=refusal is None,
        code=refusal.code if refusal else None,
        detail=refusal.detail if refusal else None,
        rules=rules,
    )


async def whereabouts(tx: AsyncSession, learner_id: UUID, name: str) -> tuple[str, str | None]:
    """The exam's course, and the cohort by which the learner studies it, or None.

    Raises:
        NotFound: There is no such exam.
    """
    exam = await teaching.get_exam(tx, name)
    enrolment = await replicas.find_enrolment(tx, learner_id, exam.course)
    return exam.course, enrolment.cohort if enrolment else None


async def _rules(tx: AsyncSession, learner_id: UUID, name: str) -> list[Rule]:
    exam = await content.find_exam(tx, name)
    if exam is None or exam.retired:
        text = "it was declared once, and is not any more" if exam else "no exam has that name"
        return [Rule(rule="declared", holds=False, sentence=text)]
    text = f"version {exam.version} of the course {exam.course} is declared"
    rules = [Rule(rule="declared", holds=True, sentence=text)]
    enrolment = await replicas.find_enrolment(tx, learner_id, exam.course)
    course = await replicas.find_course(tx, exam.course)
    if enrolment is None or course is None:
        text = f"no enrolment in {exam.course} is known" if course else "the course is not live"
        return [*rules, Rule(rule="enrolled", holds=False, sentence=text)]
    by = f"with the cohort {enrolment.cohort}" if enrolment.cohort else "outside any cohort"
    rules.append(Rule(rule="enrolled", holds=True, sentence=f"enrolled in {exam.course} {by}"))
    terms = (await terms_of_enrolments(tx, exam, [enrolment.id]))[enrolment.id]
    now = await database_now(tx)
    rules.append(_opened(terms, now))
    running = await attempts.find_running(tx, exam.id, learner_id)
    if running is not None and not await taking.expire(tx, running.id):
        text = "an attempt is in progress, which a start goes on with"
        return [*rules, Rule(rule="running", holds=True, sentence=text)]
    taken = await attempts.list_attempts(tx, enrolment.id, learner_id, [exam.id])
    return [*rules, _not_closed(terms, now), _attempts_left(terms, entry.used(taken))]


def _opened(terms: Terms, now: datetime) -> Rule:
    holds = terms.is_visible(now)
    if terms.opens_at is None:
        text = "it has no opening time"
    else:
        text = f"it {'opened' if holds else 'opens'} at {terms.opens_at.isoformat()}"
    return Rule(rule="opened", holds=holds, sentence=text)


def _not_closed(terms: Terms, now: datetime) -> Rule:
    holds = not terms.is_closed(now)
    if terms.closes_at is None:
        text = "it never closes"
    else:
        text = f"it {'closes' if holds else 'closed'} at {terms.closes_at.isoformat()}"
    return Rule(rule="not-closed", holds=holds, sentence=text)


def _attempts_left(terms: Terms, taken: int) -> Rule:
    text = f"{taken} of {terms.attempts} attempts are used"
    return Rule(rule="attempts-left", holds=taken < terms.attempts, sentence=text)


def _drawable(refusal: KourseError | None) -> Rule:
    text = refusal.detail if refusal else "its pools hold the questions that it needs"
    return Rule(rule="drawable", holds=refusal is None, sentence=text)
