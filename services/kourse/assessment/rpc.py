"""What siblings may know of learners: mastery and released scores."""

from __future__ import annotations

from uuid import UUID

import grpc.aio

from kourse.assessment.service import mastery, scores
from kourse.contracts.errors import Malformed
from kourse.kit.runtime import Runtime
from kourse.rules import points
from kourse_rpc.assessment.v1 import assessment_pb2, assessment_pb2_grpc


class AssessmentServicer(assessment_pb2_grpc.AssessmentServiceServicer):
    """Answers siblings; the kit's interceptors have checked who calls."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def ListMastery(  # noqa: N802 - the procedure's name
        self, request: assessment_pb2.ListMasteryRequest, _context: object
    ) -> assessment_pb2.ListMasteryResponse:
        """A learner's mastery of the skills of one course, or of all in which they are enrolled."""
        learner = _uuid(request.learner_id)
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await mastery.list_mastery(tx, learner, request.course or None)
        return assessment_pb2.ListMasteryResponse(
            mastery=[
                assessment_pb2.Mastery(
                    course=one.course,
                    skill=one.skill,
                    title=one.title,
                    probability=one.state.probability,
                    answers=one.state.answers,
                    band=one.state.band.value,
                )
                for one in found
            ]
        )

    async def ListScores(  # noqa: N802 - the procedure's name
        self, request: assessment_pb2.ListScoresRequest, _context: object
    ) -> assessment_pb2.ListScoresResponse:
        """A learner's released scores, newest first."""
        learner = _uuid(request.learner_id)
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await scores.released(tx, learner, request.course or None)
        return assessment_pb2.ListScoresResponse(
            scores=[
                assessment_pb2.Score(
                    attempt_id=str(one.score.attempt_id),
                    exam=one.exam,
                    title=one.title,
                    course=one.course,
                    points=points.text(one.score.points),
                    max_points=str(one.score.max_points),
                    passed=one.score.passed,
                    graded_at=one.score.graded_at.isoformat(),
                )
                for one in found
            ]
        )


def register(server: grpc.aio.Server, runtime: Runtime) -> None:
    """Offers the service on a server."""
    servicer = AssessmentServicer(runtime)
    assessment_pb2_grpc.add_AssessmentServiceServicer_to_server(servicer, server)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Malformed("learner_id is not a UUID.") from None
