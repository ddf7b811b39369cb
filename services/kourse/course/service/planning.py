"""What a plan needs of course beside the code that applies: files to come, and learners' access."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.contracts.events import CohortDeclared, Event
from kourse.contracts.plans import Effect, PeopleEffect
from kourse.contracts.resources import COHORT, CourseSpec
from kourse.course.domain import reach
from kourse.course.domain.content import assets_of
from kourse.course.domain.reach import Learner, Reach
from kourse.course.domain.study import Content
from kourse.course.repository import census, content, outline
from kourse.course.service import progress, publishing, replicas
from kourse.kit.documents import Applied, ApplyOne, Doc
from kourse.kit.planning import Effects, Key, Owner, Rules
from kourse.rules.gates import Standing


def owner(files: Collection[str]) -> Owner:
    """Course in a plan in which the files with these digests would be sent after the apply."""
    return Owner(
        kinds={publishing.KIND: Rules(_apply_and_send(frozenset(files)), publishing.keep_wish)},
        facts={CohortDeclared: replicas.keep_cohort},
        people=_people,
        facts_last=True,
    )


def _apply_and_send(files: frozenset[str]) -> ApplyOne[CourseSpec]:
    async def apply(tx: AsyncSession, doc: Doc[CourseSpec]) -> Applied:
        applied = await publishing.apply(tx, doc)
        declared = {asset.sha256 for asset in assets_of(doc.spec).values()}
        if not applied.pending or not declared & files:
            return applied
        await content.record_stored(tx, applied.id, dict.fromkeys(declared & files, 0))
        published = await publishing.publish_waiting(tx, doc.name)
        left = await publishing.still_missing(tx, doc.name)
        live = {"publishedVersion": published} if published else {}
        return replace(applied, status=applied.status | live, pending=left)

    return apply


async def _people(
    tx: AsyncSession, changed: Collection[Key], facts: Sequence[Event]
) -> Callable[[], Awaitable[Effects]]:
    courses = sorted(name for _, name in changed)
    cohorts = [fact.cohort for fact in facts if isinstance(fact, CohortDeclared)]
    before = {name: await _reach(tx, name) for name in courses}
    enrolled = {name: await census.list_cohort_enrolments(tx, name) for name in cohorts}

    async def effects() -> Effects:
        found: dict[Key, list[PeopleEffect]] = {
            (publishing.KIND, name): reach.effects(then, await _reach(tx, name))
            for name, then in before.items()
        }
        for name, then in enrolled.items():
            made = await census.list_cohort_enrolments(tx, name) - then
            found[COHORT.kind, name] = _enrolments(made)
        return {key: listed for key, listed in found.items() if listed}

    return effects


def _enrolments(made: Collection[tuple[str, UUID]]) -> list[PeopleEffect]:
    return [
        PeopleEffect(
            effect=Effect.ENROL,
            count=count,
            sentence=f"{count} member{'s are' if count != 1 else ' is'} enrolled in {course}",
        )
        for course, count in sorted(Counter(course for course, _ in made).items())
    ]


async def _reach(tx: AsyncSession, name: str) -> Reach:
    declared = await content.find_course(tx, name)
    if declared is None:
        return Reach()
    active = await census.list_active(tx, declared.id)
    learners = frozenset(row.learner_id for row in active)
    try:
        course = await outline.get_live(tx, name)
    except NotFound:
        return Reach(newest=declared.current_version, learners=learners)
    studied, gates = await progress.lessons_and_gates(tx, course)
    done = await census.completions(tx, course.id)
    begun = await census.begun(tx, course.id)
    scores = await census.best_scores(tx, name)
    mastery = await census.mastery(tx, name)
    known = [
        Learner(
            row.learner_id,
            _standing(
                studied,
                done.get(row.id, frozenset()),
                scores.get(row.learner_id, {}),
                mastery.get(row.learner_id, {}),
            ),
            begun.get(row.id, frozenset()),
        )
        for row in active
    ]
    opened, undecided = reach.openings(studied.lessons, gates, known)
    return Reach(course.version, declared.current_version, learners, opened, undecided)


def _standing(
    studied: Content,
    done: Collection[UUID],
    scores: Mapping[str, float],
    mastery: Mapping[str, float],
) -> Standing:
    completed = frozenset(lesson.key for lesson in studied.lessons if lesson.id in done)
    return Standing(completed, studied.chapters_done(done), scores, mastery)
