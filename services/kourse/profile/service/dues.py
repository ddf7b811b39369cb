"""What is due for one learner, by the dates that hold for them: course knows, and is asked.

Asked before the transaction; while course does not answer, the dates that the cohorts themselves state are
shown, as far as they are known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kourse.contracts.errors import Unavailable
from kourse.kit.runtime import Runtime
from kourse.kit.telemetry import get_logger
from kourse_rpc.course.v1 import course_pb2, course_pb2_grpc

log = get_logger(__name__)
DEADLINE_S = 1.0


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """An assignment that is due for the learner, who has not handed it in."""

    due_at: datetime
    course: str
    assignment: str
    title: str


async def list_due(runtime: Runtime, tenant: str, learner_id: UUID) -> list[Due] | None:
    """What is due in all courses of the learner, the earliest first; None while course does not answer."""
    request = course_pb2.ListDueRequest(tenant=tenant, learner_id=str(learner_id))
    try:
        stub = course_pb2_grpc.CourseServiceStub(runtime.rpc("course"))
        answer = await stub.ListDue(request, timeout=DEADLINE_S)
    except Unavailable as error:
        log.warning("schedule.without_course", error=error.code)
        return None
    return sorted(
        Due(datetime.fromisoformat(one.due_at), one.course, one.assignment, one.title)
        for one in answer.due
    )
