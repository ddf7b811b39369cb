"""gRPC of course: structure, progress and what is open."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import grpc.aio

from kourse.contracts.errors import Forbidden, NotFound
from kourse.contracts.resources.course import AtRisk
from kourse.course.service import catalogue, coming, progress, study
from kourse.course.service.coming import Due
from kourse.course.service.progress import Overview
from kourse.kit.rpc import requests
from kourse.kit.runtime import Runtime
from kourse_rpc.course.v1 import course_pb2 as pb
from kourse_rpc.course.v1 import course_pb2_grpc


class CourseServicer(course_pb2_grpc.CourseServiceServicer):
    """Answers siblings; each call opens a transaction of its own."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def GetStructure(  # noqa: N802 - the name in the protocol
        self,
        request: pb.GetStructureRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.GetStructureResponse:
        """Chapters and lessons of the version that learners have."""
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await catalogue.read_course(tx, request.course, None)
        return pb.GetStructureResponse(
            course_id=str(found.course.id),
            title=found.course.title,
            version=found.course.version,
            chapters=[_chapter(entry, found) for entry in found.chapters],
        )

    async def ListProgress(  # noqa: N802 - the name in the protocol
        self,
        request: pb.ListProgressRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.ListProgressResponse:
        """A learner's progress in all courses in which they are enrolled."""
        learner_id = requests.learner_id(request.learner_id)
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await progress.list_overviews(tx, [learner_id])
        return pb.ListProgressResponse(progress=[_progress(entry) for entry in found])

    async def BatchListProgress(  # noqa: N802 - the name in the protocol
        self,
        request: pb.BatchListProgressRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.BatchListProgressResponse:
        """Progress of many learners in one course."""
        learner_ids = requests.learner_ids(request.learner_ids)
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await progress.list_overviews(tx, learner_ids, request.course)
        return pb.BatchListProgressResponse(
            learners=[
                pb.LearnerProgress(learner_id=str(one.row.learner_id), progress=_progress(one))
                for one in found
            ]
        )

    async def GetLessonAccess(  # noqa: N802 - the name in the protocol
        self,
        request: pb.GetLessonAccessRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.GetLessonAccessResponse:
        """What a learner lacks for a lesson; who does not study the course finds none there."""
        learner_id = requests.learner_id(request.learner_id)
        try:
            async with self._runtime.database.transaction(request.tenant) as tx:
                missing = await study.lacks(tx, learner_id, request.course, request.lesson)
        except (
            Forbidden
        ) as error:  # as a status, that would say that the calling service may not ask
            raise NotFound(error.detail) from error
        return pb.GetLessonAccessResponse(missing=missing)

    async def ListDue(  # noqa: N802 - the name in the protocol
        self,
        request: pb.ListDueRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.ListDueResponse:
        """What a learner has not handed in and still can, in all courses that they study."""
        learner_id = requests.learner_id(request.learner_id)
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await coming.list_due(tx, learner_id)
        return pb.ListDueResponse(due=map(_due, found))

    async def BatchListDue(  # noqa: N802 - the name in the protocol
        self,
        request: pb.BatchListDueRequest,
        context: Any,  # noqa: ARG002
    ) -> pb.BatchListDueResponse:
        """The same for many learners in one course, and when it counts a learner as at risk."""
        learner_ids = requests.learner_ids(request.learner_ids)
        by_learner: dict[UUID, list[pb.Due]] = {}
        async with self._runtime.database.transaction(request.tenant) as tx:
            policy, found = await coming.list_due_of_many(tx, learner_ids, request.course)
        for one in found:
            by_learner.setdefault(one.learner_id, []).append(_due(one))
        return pb.BatchListDueResponse(
            at_risk=_at_risk(policy),
            learners=[
                pb.LearnerDue(learner_id=str(learner), due=due)
                for learner, due in by_learner.items()
            ],
        )


def _due(one: Due) -> pb.Due:
    return pb.Due(
        course=one.course,
        assignment=one.assignment,
        title=one.title,
        due_at=one.due_at.isoformat(),
    )


def _at_risk(policy: AtRisk) -> pb.AtRisk:
    return pb.AtRisk(**policy.model_dump())


def _chapter(entry: Any, found: catalogue.Outline) -> pb.Chapter:
    return pb.Chapter(
        key=entry.key,
        title=entry.title,
        lessons=[
            pb.Lesson(
                id=str(lesson.id),
                key=lesson.key,
                title=lesson.title,
                skills=lesson.skills,
                minutes=lesson.minutes,
                path=lesson.path,
            )
            for lesson in found.lessons
            if lesson.chapter == entry.key
        ],
    )


def _progress(found: Overview) -> pb.Progress:
    row, following = found.row, found.way.next
    return pb.Progress(
        enrolment_id=str(row.enrolment_id),
        course=row.name,
        title=row.title,
        cohort=row.cohort or "",
        version=row.version,
        completed=found.done,
        total=found.total,
        next_lesson=following.lesson.key if following else "",
        next_lesson_title=following.lesson.title if following else "",
        next_reason=following.reason if following else "",
        next_because=following.because if following else "",
        last_activity_at=row.active_at.isoformat() if row.active_at else "",
    )


def register(server: grpc.aio.Server, runtime: Runtime) -> None:
    """Adds the servicer to a server."""
    course_pb2_grpc.add_CourseServiceServicer_to_server(CourseServicer(runtime), server)
