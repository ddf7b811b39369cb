"""What a plan needs of assessment beside the code that applies: learners' access, attempts and time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain import entry
from kourse.assessment.repository import census, content, replicas
from kourse.assessment.service import exams, pools, reach
from kourse.assessment.service import replicas as siblings
from kourse.assessment.service.access import terms_of_enrolments
from kourse.contracts.events import CohortDeclared, ContentPublished, EnrolmentCreated, Event
from kourse.contracts.plans import Effect, PeopleEffect
from kourse.kit.clock import database_now
from kourse.kit.planning import Effects, Key, Owner, Rules


@dataclass(frozen=True)
class _Exam:
    """Where an exam stands with its learners.

    Attributes:
        version: Its live version, or None.
        admitted: Learners who can take it now.
        running: Attempts in progress, by version.
        deadlines: When each of them ends.
    """

    version: int | None = None
    admitted: frozenset[UUID] = frozenset()
    running: Counter[int] = field(default_factory=Counter)
    deadlines: Mapping[UUID, datetime | None] = field(default_factory=dict)


async def _people(
    tx: AsyncSession, changed: Collection[Key], facts: Sequence[Event]
) -> Callable[[], Awaitable[Effects]]:
    names = {name for kind, name in changed if kind == exams.KIND}
    names |= set(await census.list_exam_names(tx, _courses_told_of(facts)))
    before = {name: await _exam(tx, name) for name in sorted(names)}
    drawn_from = sorted(name for kind, name in changed if kind == pools.KIND)
    outdated = {name: await census.count_outdated(tx, name) for name in drawn_from}

    async def effects() -> Effects:
        found: dict[Key, list[PeopleEffect]] = {}
        for name, then in before.items():
            await _reach(tx, name)
            found[exams.KIND, name] = _effects(then, await _exam(tx, name))
        for name, count in outdated.items():
            now = await census.count_outdated(tx, name)
            found[pools.KIND, name] = _kept_questions(now - count)
        return {key: listed for key, listed in found.items() if listed}

    return effects


OWNER = Owner(
    kinds={pools.KIND: Rules(pools.apply_pool), exams.KIND: Rules(exams.apply_exam)},
    facts={
        ContentPublished: siblings.take_course,
        CohortDeclared: siblings.take_cohort,
        EnrolmentCreated: siblings.take_enrolment,
    },
    people=_people,
)
"""Assessment in a plan."""


def _courses_told_of(facts: Sequence[Event]) -> set[str]:
    """Courses whose exams a sibling's fact may move."""
    found: set[str] = set()
    for fact in facts:
        match fact:
            case CohortDeclared():
                found |= set(fact.courses)
            case ContentPublished() | EnrolmentCreated():
                found.add(fact.course)
    return found


async def _exam(tx: AsyncSession, name: str) -> _Exam:
    exam = await content.find_exam(tx, name)
    if exam is None or exam.retired or await replicas.find_course(tx, exam.course) is None:
        return _Exam()
    enrolments = await replicas.list_course_enrolments(tx, exam.course, cohorts=None)
    terms = await terms_of_enrolments(tx, exam, [one.id for one in enrolments])
    taken = await census.count_taken(tx, exam.id)
    running = await census.list_running(tx, exam.id)
    sitting = {one.learner_id for one in running}
    now = await database_now(tx)
    admitted = frozenset(
        one.learner_id
        for one in enrolments
        if entry.can_take(terms[one.id], taken[one.id], now, running=one.learner_id in sitting)
    )
    return _Exam(
        exam.version,
        admitted,
        Counter(one.version for one in running),
        {one.id: one.deadline_at for one in running},
    )


async def _reach(tx: AsyncSession, name: str) -> None:
    """What a changed policy lengthens reaches running attempts, as the sweeper will have it."""
    exam = await content.find_exam(tx, name)
    if exam is not None:
        await reach.reach(tx, exam.id)


def _effects(before: _Exam, after: _Exam) -> list[PeopleEffect]:
    gained, lost = len(after.admitted - before.admitted), len(before.admitted - after.admitted)
    found = []
    if gained:
        text = f"{_learners(gained, 'gains access', 'gain access')}"
        found.append(PeopleEffect(effect=Effect.GAIN_ACCESS, count=gained, sentence=text))
    if lost:
        text = f"{_learners(lost, 'loses access', 'lose access')}"
        found.append(PeopleEffect(effect=Effect.LOSE_ACCESS, count=lost, sentence=text))
    if before.version != after.version:
        found += [
            PeopleEffect(
                effect=Effect.KEEP_VERSION,
                count=count,
                sentence=f"{_attempts(count, 'stays', 'stay')} on version {version}",
            )
            for version, count in sorted(after.running.items())
            if version != after.version
        ]
    longer = sum(
        deadline != before.deadlines.get(id_, deadline) for id_, deadline in after.deadlines.items()
    )
    if longer:
        text = _attempts(longer, "gains time", "gain time")
        found.append(PeopleEffect(effect=Effect.GAIN_TIME, count=longer, sentence=text))
    return found


def _kept_questions(count: int) -> list[PeopleEffect]:
    if count <= 0:
        return []
    text = _attempts(count, "keeps", "keep") + " the questions that were drawn"
    return [PeopleEffect(effect=Effect.KEEP_QUESTIONS, count=count, sentence=text)]


def _learners(count: int, one: str, many: str) -> str:
    return f"1 learner {one}" if count == 1 else f"{count} learners {many}"


def _attempts(count: int, one: str, many: str) -> str:
    return f"1 attempt in progress {one}" if count == 1 else f"{count} attempts in progress {many}"
