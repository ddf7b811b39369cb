"""Whom a course reaches: which lessons are open to which learners, and how that changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from kourse.contracts.plans import Effect, PeopleEffect
from kourse.course.domain.study import Gate, LessonRef, locked
from kourse.rules.gates import Standing

MOST_NAMED = 3


@dataclass(frozen=True)
class Learner:
    """A learner of a course, as far as gates look at them.

    Attributes:
        id: The account.
        standing: What they have reached.
        begun: Chapters in which they began.
    """

    id: UUID
    standing: Standing
    begun: frozenset[str]


@dataclass(frozen=True)
class Reach:
    """Where a course stands with its learners.

    Attributes:
        version: The version that learners have, or None.
        newest: The version that was declared last, or None.
        learners: Everybody who studies it now.
        open: Learners to whom a lesson is open, by the lesson's key.
        undecided: Those to whom a lesson beside the main path is open or not by their mastery's band, which
            follows an apply.
    """

    version: int | None = None
    newest: int | None = None
    learners: frozenset[UUID] = frozenset()
    open: Mapping[str, frozenset[UUID]] = field(default_factory=dict)
    undecided: Mapping[str, frozenset[UUID]] = field(default_factory=dict)


def openings(
    lessons: Sequence[LessonRef], gates: Sequence[Gate], learners: Collection[Learner]
) -> tuple[dict[str, frozenset[UUID]], dict[str, frozenset[UUID]]]:
    """To whom each lesson is open, and for whom the band of their mastery decides."""
    closed: dict[str, set[UUID]] = {gate.chapter: set() for gate in gates}
    for learner in learners:
        for chapter in locked(gates, learner.standing, learner.begun):
            closed[chapter].add(learner.id)
    everybody = frozenset(learner.id for learner in learners)
    undecided = {
        one.key: frozenset() if one.is_main else everybody - closed.get(one.chapter, set())
        for one in lessons
    }
    return (
        {
            one.key: everybody - closed.get(one.chapter, set()) - undecided[one.key]
            for one in lessons
        },
        undecided,
    )


def effects(before: Reach, after: Reach) -> list[PeopleEffect]:
    """What a change does to the learners of a course."""
    found = []
    gained = _moved(after.open, before)
    lost = _moved(before.open, after)
    if gained:
        found.append(_effect(Effect.GAIN_ACCESS, gained, "gain access to"))
    if lost:
        found.append(_effect(Effect.LOSE_ACCESS, lost, "lose access to"))
    unsure = _everybody(after.undecided) - _everybody(before.undecided)
    if unsure:
        text = f"for {people(len(unsure))} mastery decides what is open, when they come"
        found.append(PeopleEffect(effect=Effect.UNDECIDED, count=len(unsure), sentence=text))
    if after.learners and after.version is not None and after.newest != after.version:
        count = len(after.learners)
        text = f"{people(count)} stay{_s(count)} on version {after.version}"
        found.append(PeopleEffect(effect=Effect.KEEP_VERSION, count=count, sentence=text))
    return found


def people(count: int) -> str:
    """So many learners, in words."""
    return f"{count} learner{'' if count == 1 else 's'}"


def _s(count: int) -> str:
    return "s" if count == 1 else ""


def _moved(here: Mapping[str, frozenset[UUID]], other: Reach) -> dict[str, frozenset[UUID]]:
    """For each lesson those to whom it is open here, and certainly not there."""
    found = {
        key: learners - other.open.get(key, frozenset()) - other.undecided.get(key, frozenset())
        for key, learners in here.items()
    }
    return {key: learners for key, learners in found.items() if learners}


def _everybody(by_lesson: Mapping[str, Iterable[UUID]]) -> frozenset[UUID]:
    return frozenset(one for learners in by_lesson.values() for one in learners)


def _effect(effect: Effect, lessons: Mapping[str, frozenset[UUID]], verb: str) -> PeopleEffect:
    count = len(_everybody(lessons))
    named = ", ".join(list(lessons)[:MOST_NAMED])
    more = f" and {len(lessons) - MOST_NAMED} more" if len(lessons) > MOST_NAMED else ""
    kind = "the lesson" if len(lessons) == 1 else "lessons:"
    words = verb if count != 1 else verb.replace("gain", "gains").replace("lose", "loses")
    return PeopleEffect(
        effect=effect, count=count, sentence=f"{people(count)} {words} {kind} {named}{more}"
    )
