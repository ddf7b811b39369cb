"""Asks the siblings over gRPC, each question with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from kourse.contracts.errors import Unavailable
from kourse.contracts.resources.course import AtRisk
from kourse.dashboard.schemas.learner import (
    CourseCard,
    DueCard,
    GoalCard,
    ScoreCard,
    SkillMastery,
    Standing,
)
from kourse.kit.runtime import Runtime
from kourse.kit.telemetry import get_logger
from kourse.rules.at_risk import Due, Policy
from kourse_rpc.assessment.v1 import assessment_pb2, assessment_pb2_grpc
from kourse_rpc.course.v1 import course_pb2, course_pb2_grpc
from kourse_rpc.notification.v1 import notification_pb2, notification_pb2_grpc
from kourse_rpc.profile.v1 import profile_pb2, profile_pb2_grpc

log = get_logger(__name__)
T = TypeVar("T")
MOST = 200
"""Most learners in one question."""


async def ask(part: str, question: Callable[[], Awaitable[T]]) -> T | None:
    """The answer, or None when the sibling does not give one in time."""
    try:
        return await question()
    except Unavailable as error:
        log.warning("dashboard.part_missing", part=part, error=error.detail)
        return None


@dataclass(frozen=True)
class OfLearner:
    """Asks the siblings for one learner's part of a view."""

    runtime: Runtime
    tenant: str
    learner: UUID
    deadline_s: float

    async def progress(self) -> list[CourseCard]:
        """Courses with progress, as course tells."""
        stub = course_pb2_grpc.CourseServiceStub(self.runtime.rpc("course"))
        request = course_pb2.ListProgressRequest(tenant=self.tenant, learner_id=str(self.learner))
        answer = await stub.ListProgress(request, timeout=self.deadline_s)
        return [
            CourseCard(
                course=one.course,
                title=one.title,
                cohort=one.cohort or None,
                version=one.version,
                completed=one.completed,
                total=one.total,
                next_lesson=one.next_lesson or None,
                next_lesson_title=one.next_lesson_title or None,
                next_because=one.next_because or None,
                last_activity_at=one.last_activity_at or None,
            )
            for one in answer.progress
        ]

    async def due(self) -> list[DueCard]:
        """What is to be handed in, the earliest first, as course tells."""
        stub = course_pb2_grpc.CourseServiceStub(self.runtime.rpc("course"))
        request = course_pb2.ListDueRequest(tenant=self.tenant, learner_id=str(self.learner))
        answer = await stub.ListDue(request, timeout=self.deadline_s)
        return [
            DueCard(
                course=one.course, assignment=one.assignment, title=one.title, due_at=one.due_at
            )
            for one in answer.due
        ]

    async def mastery(self) -> dict[str, list[SkillMastery]]:
        """Mastery of skills by course, as assessment tells."""
        stub = assessment_pb2_grpc.AssessmentServiceStub(self.runtime.rpc("assessment"))
        request = assessment_pb2.ListMasteryRequest(
            tenant=self.tenant, learner_id=str(self.learner)
        )
        answer = await stub.ListMastery(request, timeout=self.deadline_s)
        found: dict[str, list[SkillMastery]] = {}
        for one in answer.mastery:
            skill = SkillMastery(
                skill=one.skill,
                title=one.title,
                probability=one.probability,
                answers=one.answers,
                band=one.band,
            )
            found.setdefault(one.course, []).append(skill)
        return found

    async def scores(self) -> dict[str, list[ScoreCard]]:
        """Released scores by course, as assessment tells."""
        stub = assessment_pb2_grpc.AssessmentServiceStub(self.runtime.rpc("assessment"))
        request = assessment_pb2.ListScoresRequest(tenant=self.tenant, learner_id=str(self.learner))
        answer = await stub.ListScores(request, timeout=self.deadline_s)
        found: dict[str, list[ScoreCard]] = {}
        for one in answer.scores:
            score = ScoreCard(
                attempt_id=UUID(one.attempt_id),
                exam=one.exam,
                title=one.title,
                points=one.points,
                max_points=one.max_points,
                passed=one.passed,
                graded_at=one.graded_at,
            )
            found.setdefault(one.course, []).append(score)
        return found

    async def goals(self) -> list[GoalCard]:
        """Goals, as profile tells."""
        stub = profile_pb2_grpc.ProfileServiceStub(self.runtime.rpc("profile"))
        request = profile_pb2.ListGoalsRequest(tenant=self.tenant, learner_id=str(self.learner))
        answer = await stub.ListGoals(request, timeout=self.deadline_s)
        return [
            GoalCard(
                id=UUID(one.id),
                title=one.title,
                target_date=one.target_date or None,
                achieved=one.achieved,
            )
            for one in answer.goals
        ]

    async def standing(self) -> Standing:
        """Points and unread messages, as notification tells."""
        stub = notification_pb2_grpc.NotificationServiceStub(self.runtime.rpc("notification"))
        request = notification_pb2.GetStandingRequest(
            tenant=self.tenant, learner_id=str(self.learner)
        )
        answer = await stub.GetStanding(request, timeout=self.deadline_s)
        return Standing(points=answer.points, level=answer.level, unread=answer.unread)


async def names_of(
    runtime: Runtime, tenant: str, learners: Sequence[UUID], deadline_s: float
) -> dict[UUID, str]:
    """Display names of learners, as profile tells; those it does not know are left out.

    Raises:
        Unavailable: Profile does not answer in time.
    """
    stub = profile_pb2_grpc.ProfileServiceStub(runtime.rpc("profile"))

    async def of_some(some: Sequence[UUID]) -> dict[UUID, str]:
        request = profile_pb2.ListProfilesRequest(tenant=tenant, learner_ids=map(str, some))
        answer = await stub.ListProfiles(request, timeout=deadline_s)
        return {UUID(one.learner_id): one.display_name for one in answer.profiles}

    found = await asyncio.gather(*(of_some(some) for some in _batches(learners)))
    return {learner: name for names in found for learner, name in names.items()}


async def due_of(
    runtime: Runtime, tenant: str, course: str, learners: Collection[UUID], deadline_s: float
) -> tuple[Policy, dict[UUID, list[Due]]]:
    """When a course counts a learner as at risk, and what is due for each of at most 200.

    Raises:
        Unavailable: Course does not answer in time.
        NotFound: Nothing of the course is live.
    """
    stub = course_pb2_grpc.CourseServiceStub(runtime.rpc("course"))
    request = course_pb2.BatchListDueRequest(
        tenant=tenant, course=course, learner_ids=map(str, learners)
    )
    answer = await stub.BatchListDue(request, timeout=deadline_s)
    declared = AtRisk(**{name: getattr(answer.at_risk, name) for name in AtRisk.model_fields})
    return Policy.of(declared), {
        UUID(one.learner_id): [
            Due(due.title, datetime.fromisoformat(due.due_at)) for due in one.due
        ]
        for one in answer.learners
    }


def _batches(learners: Sequence[UUID]) -> list[list[UUID]]:
    left = iter(learners)
    return list(iter(lambda: list(islice(left, MOST)), []))
