"""gRPC of course: structure and progress."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import grpc.aio

from kourse.contracts.errors import Malformed
from kourse.course.service import catalogue, progress
from kourse.course.service.progress import Overview
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
        learner_id = _uuid(request.learner_id)
        async with self._runtime.database.transaction(request.tenant) as tx:
            found = await progress.list_overviews(tx, learner_id)
        return pb.ListProgressResponse(progress=[_progress(entry) for entry in found])


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Malformed("`learner_id` is not a UUID.") from None


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
            )
            for lesson in found.lessons
            if lesson.chapter == entry.key
        ],
    )


def _progress(found: Overview) -> pb.Progress:
    following, active_at = found.next, found.enrolment.active_at
    return pb.Progress(
        enrolment_id=str(found.enrolment.id),
        course=found.course.name,
        title=found.course.title,
        cohort=found.enrolment.cohort or "",
        version=found.course.version,
        completed=found.done,
        total=len(found.lessons),
        next_lesson=following.key if following else "",
        next_lesson_title=following.title if following else "",
        last_activity_at=active_at.isoformat() if active_at else "",
    )


def register(server: grpc.aio.Server, runtime: Runtime) -> None:
    """Adds the servicer to a server."""
    course_pb2_grpc.add_CourseServiceServicer_to_server(CourseServicer(runtime), server)
