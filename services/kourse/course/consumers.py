"""What course does when siblings report facts."""

from __future__ import annotations

from typing import Any

from kourse.contracts.events import (
    AccommodationChanged,
    CohortDeclared,
    ExamScheduled,
    GroupJoined,
    GroupLeft,
    MasteryChanged,
    ScoreReleased,
    UserDeleted,
)
from kourse.course.service import replicas
from kourse.kit.inbox import Delivery, Handlers

handlers = Handlers("course")


@handlers.on(CohortDeclared)
async def on_cohort_declared(tx: Any, event: CohortDeclared, _: Delivery) -> None:
    """Keeps the cohort's run and dates; enrols its members in courses that were added."""
    await replicas.keep_cohort(tx, event)


@handlers.on(GroupJoined)
async def on_group_joined(tx: Any, event: GroupJoined, _: Delivery) -> None:
    """Enrols the new member in the cohort's courses."""
    await replicas.enrol_member(tx, event)


@handlers.on(GroupLeft)
async def on_group_left(tx: Any, event: GroupLeft, _: Delivery) -> None:
    """Suspends what the cohort enrolled the member in."""
    await replicas.suspend_member(tx, event)


@handlers.on(ExamScheduled)
async def on_exam_scheduled(tx: Any, event: ExamScheduled, _: Delivery) -> None:
    """Keeps the exam's title, for gates that ask for it."""
    await replicas.keep_exam(tx, event)


@handlers.on(ScoreReleased)
async def on_score_released(tx: Any, event: ScoreReleased, _: Delivery) -> None:
    """Counts the score in gates and in the course's completion."""
    await replicas.keep_score(tx, event)


@handlers.on(MasteryChanged)
async def on_mastery_changed(tx: Any, event: MasteryChanged, _: Delivery) -> None:
    """Keeps the mastery that decides which lessons are open."""
    await replicas.keep_mastery(tx, event)


@handlers.on(AccommodationChanged)
async def on_accommodation_changed(tx: Any, event: AccommodationChanged, _: Delivery) -> None:
    """Assignments end later for a learner to whom that is granted."""
    await replicas.keep_accommodation(tx, event)


@handlers.on(UserDeleted)
async def on_user_deleted(tx: Any, event: UserDeleted, _: Delivery) -> None:
    """Forgets what says something of the person."""
    await replicas.forget(tx, event)
