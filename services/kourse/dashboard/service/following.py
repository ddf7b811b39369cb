"""Keeps what events tell, and has views and judgements made anew that depend on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts import events
from kourse.contracts.resources.course import LessonPath
from kourse.dashboard.repository import facts
from kourse.dashboard.repository.facts import Enrolled, Seen, Work
from kourse.dashboard.service import marking
from kourse.dashboard.tables import ERASURE, metadata
from kourse.kit.erasure import erase
from kourse.kit.inbox import Delivery

Told = Sequence[tuple[Any, Delivery]]
"""Events of one type and tenant, with their deliveries."""


async def publish(tx: AsyncSession, event: events.ContentPublished, _delivery: Delivery) -> None:
    """A course has these lessons and skills."""
    values = {
        "course": event.course,
        "title": event.title,
        "version": event.version,
        "lessons": sum(one.path == LessonPath.MAIN for one in event.lessons),
        "skills": [[skill.key, skill.title] for skill in event.skills],
    }
    await facts.put_course(tx, event.course_id, values)
    await reschedule(tx, event.course)


async def reschedule(tx: AsyncSession, course: str) -> None:
    """What is due in a course changed, for everybody."""
    await facts.look_at_course(tx, course)
    marking.touch(tx, (marking.of_course(course), marking.TENANT))


async def enrol(tx: AsyncSession, told: Told) -> None:
    """Learners begin a course."""
    await facts.add_studies(
        tx,
        [
            Enrolled(
                event.enrolment_id,
                event.learner_id,
                event.course_id,
                event.course,
                event.cohort,
                delivery.time,
            )
            for event, delivery in told
        ],
    )
    _touch(tx, told)


async def change_study(tx: AsyncSession, event: Any, **changes: Any) -> None:
    """An enrolment is suspended, goes on, or is complete."""
    await facts.change_study(tx, event.enrolment_id, **changes)
    _touch(tx, [(event, None)])


async def complete_lessons(tx: AsyncSession, told: Told) -> None:
    """Learners completed lessons."""
    await facts.set_completed(tx, {event.enrolment_id: event.completed for event, _ in told})
    await note_activity(tx, told)


async def note_activity(tx: AsyncSession, told: Told) -> None:
    """Learners did something."""
    await facts.note_activity(tx, _seen(told))
    await _reconsider(tx, told)


async def move_mastery(tx: AsyncSession, told: Told) -> None:
    """Learners answered questions, or their answers count otherwise."""
    rows = (
        (
            Seen(event.course, event.learner_id, delivery.time),
            orjson.dumps(
                {one.skill: [one.probability, one.answers, one.band] for one in event.skills}
            ).decode(),
        )
        for event, delivery in told
    )
    await facts.put_mastery(tx, sorted(rows, key=lambda row: row[0]))
    await _reconsider(tx, told)


async def submit_attempts(tx: AsyncSession, told: Told) -> None:
    """Learners handed in attempts."""
    await facts.put_work(
        tx,
        [
            Work(event.attempt_id, event.learner_id, event.course, submitted_at=delivery.time)
            for event, delivery in told
        ],
    )
    await note_activity(tx, told)


async def release_scores(tx: AsyncSession, told: Told) -> None:
    """Learners may know the scores of attempts."""
    await facts.put_work(
        tx,
        [
            Work(
                event.attempt_id,
                event.learner_id,
                event.course,
                released_at=delivery.time,
                percent=event.percent,
            )
            for event, delivery in told
        ],
    )
    await _reconsider(tx, told)


async def void_attempt(tx: AsyncSession, event: events.AttemptVoided, _delivery: Delivery) -> None:
    """An attempt counts no more."""
    await facts.drop_work(tx, event.attempt_id)
    await _reconsider(tx, [(event, None)])


async def take_hand_in(
    tx: AsyncSession, event: events.AssignmentSubmitted, _delivery: Delivery
) -> None:
    """An assignment was handed in, for all members of a group."""
    works = [
        Work(event.submission_id, member, event.course, submitted_at=event.submitted_at)
        for member in sorted(event.members)
    ]
    await facts.put_work(tx, works)
    await facts.drop_missed(tx, event.enrolments or [event.enrolment_id], event.assignment_id)
    await facts.note_activity(tx, [Seen(event.course, event.learner_id, event.submitted_at)])
    cohorts = await facts.look_again(tx, [(event.course, member) for member in event.members])
    marking.touch(tx, map(marking.of_cohort, cohorts))
    learners = (marking.of_learner(member) for member in event.members)
    marking.touch(tx, (marking.of_course(event.course), *learners))


async def release_feedback(
    tx: AsyncSession, event: events.FeedbackReleased, delivery: Delivery
) -> None:
    """A learner may know what their hand-in is worth."""
    work = Work(
        event.submission_id,
        event.learner_id,
        event.course,
        released_at=delivery.time,
        percent=event.percent,
    )
    await facts.put_work(tx, [work])
    await _reconsider(tx, [(event, delivery)])


async def miss(tx: AsyncSession, event: events.AssignmentExpired, _delivery: Delivery) -> None:
    """An assignment closed without a hand-in."""
    await facts.add_missed(tx, event.enrolment_id, event.assignment_id, event.learner_id)
    await _reconsider(tx, [(event, None)])


async def extend(tx: AsyncSession, event: events.AssignmentExtended, _delivery: Delivery) -> None:
    """A learner has more time."""
    await facts.drop_missed(tx, [event.enrolment_id], event.assignment_id)
    await _reconsider(tx, [(event, None)])


async def forget(tx: AsyncSession, user_id: UUID) -> None:
    """What says something of the person is forgotten, their cached views too."""
    await erase(tx, metadata, ERASURE, user_id)
    marking.touch(tx, (marking.of_learner(user_id), marking.TENANT))


def touch(tx: AsyncSession, told: Told) -> None:
    """What learners see of themselves changed, and nothing that is kept here."""
    _touch(tx, told)


async def _reconsider(tx: AsyncSession, told: Iterable[tuple[Any, Any]]) -> None:
    pairs = list(told)
    whose = {(event.course, event.learner_id) for event, _ in pairs}
    cohorts = await facts.look_again(tx, sorted(whose))
    marking.touch(tx, map(marking.of_cohort, cohorts))
    _touch(tx, pairs)


def _touch(tx: AsyncSession, told: Iterable[tuple[Any, Any]]) -> None:
    for event, _ in told:
        if cohort := getattr(event, "cohort", None):
            marking.touch(tx, [marking.of_cohort(cohort)])
        marking.touch(tx, (marking.of_learner(event.learner_id), marking.of_course(event.course)))


def _seen(told: Told) -> list[Seen]:
    latest: dict[tuple[str, UUID], Seen] = {}
    for event, delivery in told:
        one = Seen(event.course, event.learner_id, delivery.time)
        key = (one.course, one.learner_id)
        latest[key] = max(latest.get(key, one), one)
    return list(latest.values())
