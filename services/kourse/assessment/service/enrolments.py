"""Tells "not enrolled" from "enrolled, but the news has not arrived", by asking the course service.

Asked only after a request has failed for want of an enrolment and its transaction has ended, so no
request that succeeds waits for a sibling.
"""

from __future__ import annotations

from uuid import UUID

from kourse.assessment.errors import RETRY_AFTER_S, NotEnrolled
from kourse.contracts.errors import DependencyNotReady, KourseError, NotFound, Unavailable
from kourse.kit.runtime import Runtime
from kourse_rpc.course.v1 import course_pb2, course_pb2_grpc

DEADLINE_S = 1.0


async def refusal(
    runtime: Runtime, tenant: str, learner_id: UUID, error: NotEnrolled
) -> KourseError:
    """What to answer: the 404 that it looks like, or "come again" while the enrolment travels.

    When the course service does not answer either, nobody knows: the client is asked to come again.
    """
    try:
        stub = course_pb2_grpc.CourseServiceStub(runtime.rpc("course"))
        request = course_pb2.ListProgressRequest(tenant=tenant, learner_id=str(learner_id))
        answer = await stub.ListProgress(request, timeout=DEADLINE_S)
        travelling = any(one.course == error.course for one in answer.progress)
    except Unavailable:
        travelling = True
    if not travelling:
        return NotFound(error.detail)
    return DependencyNotReady(
        "Your enrolment is not known here yet; try again in a moment.",
        retry_after_s=RETRY_AFTER_S,
    )
