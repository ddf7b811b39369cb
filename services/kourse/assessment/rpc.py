"""What siblings may know of learners: mastery and released scores."""

from __future__ import annotations

from uuid import UUID

import grpc.aio

from kourse.assessment.service import mastery, scores
from kourse.assessment.service.mastery import SkillMastery
from kourse.assessment.service.scores import ExamScore
from kourse.kit.rpc import requests
from kourse.kit.runtime import Runtime
from kourse.rules import points
from kourse_rpc.assessment.v1 import assessment_pb2 as pb
from kourse_rpc.assessment.v1 import assessment_pb2_grpc


class AssessmentServicer(assessment_pb2_grpc.AssessmentServiceServicer):
    """Answers siblings; the kit's interceptors have checked who calls."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def ListMastery(  # noqa: N802 - the procedure's name
        self, request: pb.ListMasteryRequest, _context: object
    ) -> pb.ListMasteryResponse:
        """A learner's mastery of the skills of one course, or of all in which they are enrolled."""
        learner = requests.learner_id(request.learner_id)
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await mastery.list_mastery(tx, learner, request.course or None)
        return pb.ListMasteryResponse(mastery=[_mastery(one) for one in found])

    async def ListScores(  # noqa: N802 - the procedure's name
        self, request: pb.ListScoresRequest, _context: object
    ) -> pb.ListScoresResponse:
        """A learner's released scores, newest first."""
        learner = requests.learner_id(request.learner_id)
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await scores.released(tx, [learner], request.course or None)
        return pb.ListScoresResponse(scores=[_score(one) for one in found])

    async def BatchListMastery(  # noqa: N802 - the procedure's name
        self, request: pb.BatchListMasteryRequest, _context: object
    ) -> pb.BatchListMasteryResponse:
        """Mastery of one course's skills for those of the learners who study it."""
        learners = requests.learner_ids(request.learner_ids)
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await mastery.mastery_of_many(tx, learners, request.course)
        return pb.BatchListMasteryResponse(
            learners=[
                pb.LearnerMastery(learner_id=str(learner), mastery=map(_mastery, skills))
                for learner, skills in found.items()
            ]
        )

    async def BatchListScores(  # noqa: N802 - the procedure's name
        self, request: pb.BatchListScoresRequest, _context: object
    ) -> pb.BatchListScoresResponse:
        """Released scores in one course, for those of the learners who have any."""
        learners = requests.learner_ids(request.learner_ids)
        by_learner: dict[UUID, list[pb.Score]] = {}
        async with self._runtime.database.transaction(request.tenant) as tx:
            for one in await scores.released(tx, learners, request.course):
                by_learner.setdefault(one.learner_id, []).append(_score(one))
        return pb.BatchListScoresResponse(
            learners=[
                pb.LearnerScores(learner_id=str(learner), scores=found)
                for learner, found in by_learner.items()
            ]
        )


def _mastery(one: SkillMastery) -> pb.Mastery:
    return pb.Mastery(
        course=one.course,
        skill=one.skill,
        title=one.title,
        probability=one.state.probability,
        answers=one.state.answers,
        band=one.state.band.value,
    )


def _score(one: ExamScore) -> pb.Score:
    return pb.Score(
        attempt_id=str(one.score.attempt_id),
        exam=one.exam,
        title=one.title,
        course=one.course,
        points=points.text(one.score.points),
        max_points=str(one.score.max_points),
        passed=one.score.passed,
        graded_at=one.score.graded_at.isoformat(),
    )


def register(server: grpc.aio.Server, runtime: Runtime) -> None:
    """Offers the service on a server."""
    servicer = AssessmentServicer(runtime)
    assessment_pb2_grpc.add_AssessmentServiceServicer_to_server(servicer, server)
