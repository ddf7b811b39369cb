"""Events that make views stale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kourse.contracts.events import (
    AssignmentCreated,
    ContentPublished,
    EnrolmentCreated,
    ExamGraded,
    LessonCompleted,
    MasteryChanged,
    ScoreReleased,
    UserDeleted,
)
from kourse.dashboard import service
from kourse.kit.db import Transaction
from kourse.kit.inbox import Delivery, Handlers
from kourse.kit.runtime import Runtime

Changes = Sequence[tuple[Any, Delivery]]


def handlers(runtime: Runtime) -> Handlers:
    """The consumer ``dashboard``, which drops views from the runtime's cache."""
    mine = Handlers("dashboard")

    async def learners_changed(_tx: Transaction, changes: Changes) -> None:
        tenant = changes[0][1].tenant
        await service.advance_learners(runtime, tenant, (event.learner_id for event, _ in changes))

    async def learner_deleted(tx: Transaction, event: UserDeleted, delivery: Delivery) -> None:
        await service.forget(tx, runtime, delivery.tenant, event.user_id)

    async def courses_changed(_tx: Transaction, changes: Changes) -> None:
        await service.advance_tenant(runtime, changes[0][1].tenant)

    for of_learner in (
        EnrolmentCreated,
        LessonCompleted,
        ExamGraded,
        MasteryChanged,
        ScoreReleased,
    ):
        mine.on_many(of_learner)(learners_changed)
    mine.on(UserDeleted)(learner_deleted)
    for of_course in (ContentPublished, AssignmentCreated):
        mine.on_many(of_course)(courses_changed)
    return mine
