"""What assessment knows of a learner's mastery, asked when a gate needs it and never in a transaction."""

from __future__ import annotations

from uuid import UUID

from kourse.kit.runtime import Runtime
from kourse_rpc.assessment.v1.assessment_pb2 import ListMasteryRequest
from kourse_rpc.assessment.v1.assessment_pb2_grpc import AssessmentServiceStub

DEADLINE_S = 1.0


async def percents(
    runtime: Runtime, tenant: str, learner_id: UUID, course: str
) -> dict[str, float]:
    """Probability of mastery by skill of the course, 0 to 100.

    Raises:
        Unavailable: Assessment does not answer in time.
    """
    stub = AssessmentServiceStub(runtime.rpc("assessment"))
    request = ListMasteryRequest(tenant=tenant, learner_id=str(learner_id), course=course)
    answer = await stub.ListMastery(request, timeout=DEADLINE_S)
    return {entry.skill: entry.probability * 100 for entry in answer.mastery}
