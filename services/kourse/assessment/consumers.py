"""What follows here from siblings' events, and from an attempt that waits for its grading."""

from __future__ import annotations

from kourse.assessment.service import gradables, grading, replicas
from kourse.contracts import events, names
from kourse.kit.db import Transaction
from kourse.kit.delivery import Delivery
from kourse.kit.inbox import Handlers
from kourse.kit.runtime import Runtime
from kourse.kit.work import Work

GRADERS = 4
"""Attempts that one process grades at a time; each holds a database connection."""

handlers = Handlers("assessment")


@handlers.on(events.ContentPublished)
async def take_course(tx: Transaction, event: events.ContentPublished, _delivery: Delivery) -> None:
    """A course's live version is known here."""
    await replicas.take_course(tx, event)


@handlers.on(events.CohortDeclared)
async def take_cohort(tx: Transaction, event: events.CohortDeclared, _delivery: Delivery) -> None:
    """A cohort's run and dates are known here."""
    await replicas.take_cohort(tx, event)


@handlers.on(events.EnrolmentCreated)
async def take_enrolment(
    tx: Transaction, event: events.EnrolmentCreated, _delivery: Delivery
) -> None:
    """A learner may take a course's exams."""
    await replicas.take_enrolment(tx, event)


@handlers.on(events.EnrolmentChanged)
async def relabel(tx: Transaction, event: events.EnrolmentChanged, _delivery: Delivery) -> None:
    """Other dates of exams may hold for the learner."""
    await replicas.relabel(tx, event)


@handlers.on(events.AssignmentCreated)
async def take_assignment(
    tx: Transaction, event: events.AssignmentCreated, _delivery: Delivery
) -> None:
    """An assignment is known here by what grading needs."""
    await gradables.take_assignment(tx, event)


@handlers.on(events.AssignmentChanged)
async def change_assignment(
    tx: Transaction, event: events.AssignmentChanged, _delivery: Delivery
) -> None:
    """Grading follows the assignment as it is now."""
    await gradables.take_assignment(tx, event)


@handlers.on(events.AssignmentSubmitted)
async def take_hand_in(
    tx: Transaction, event: events.AssignmentSubmitted, _delivery: Delivery
) -> None:
    """What was handed in waits for a grader."""
    await gradables.take_hand_in(tx, event)


@handlers.on(events.UserDeleted)
async def forget(tx: Transaction, event: events.UserDeleted, _delivery: Delivery) -> None:
    """What says something of the person is forgotten; results stay under the id."""
    await replicas.forget(tx, event)


async def grade_attempt(runtime: Runtime, event: events.Event, delivery: Delivery) -> None:
    """A submitted attempt is graded once, however often it is asked for."""
    if isinstance(event, events.AttemptSubmitted):
        async with runtime.database.transaction(delivery.tenant) as tx:
            await grading.grade(tx, event.attempt_id)


work = (Work(names.GRADING_QUEUES[0], grade_attempt, prefetch=GRADERS),)
