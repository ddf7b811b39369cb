"""Events that make views stale."""

from __future__ import annotations

from typing import Any

from kourse.contracts.events import (
    AssignmentCreated,
    ContentPublished,
    EnrolmentCreated,
    ExamGraded,
    LessonCompleted,
    ScoreReleased,
)
from kourse.dashboard import service
from kourse.kit.db import Transaction
from kourse.kit.inbox import Delivery, Handlers
from kourse.kit.runtime import Runtime


def handlers(runtime: Runtime) -> Handlers:
    """The consumer ``dashboard``, which drops views from the runtime's cache."""
    mine = Handlers("dashboard")

    async def learner_changed(_tx: Transaction, event: Any, delivery: Delivery) -> None:
        await service.advance_learner(runtime, delivery.tenant, event.learner_id)

    async def course_changed(_tx: Transaction, _event: Any, delivery: Delivery) -> None:
        await service.advance_tenant(runtime, delivery.tenant)

    for of_learner in (EnrolmentCreated, LessonCompleted, ExamGraded, ScoreReleased):
        mine.on(of_learner)(learner_changed)
    for of_course in (ContentPublished, AssignmentCreated):
        mine.on(of_course)(course_changed)
    return mine
