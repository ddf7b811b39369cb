"""Views gathered from the siblings, cached under a generation that events advance."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import structlog
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Unavailable
from kourse.dashboard.schemas import (
    CourseCard,
    GoalCard,
    Overview,
    ScoreCard,
    SkillMastery,
    Standing,
)
from kourse.dashboard.settings import DashboardSettings
from kourse.dashboard.tables import metadata
from kourse.kit import clock
from kourse.kit.auth import Actor
from kourse.kit.erasure import erase
from kourse.kit.runtime import Runtime
from kourse_rpc.assessment.v1 import assessment_pb2, assessment_pb2_grpc
from kourse_rpc.course.v1 import course_pb2, course_pb2_grpc
from kourse_rpc.notification.v1 import notification_pb2, notification_pb2_grpc
from kourse_rpc.profile.v1 import profile_pb2, profile_pb2_grpc

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Siblings:
    """Asks the siblings for one learner's part of the view."""

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
                last_activity_at=one.last_activity_at or None,
            )
            for one in answer.progress
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


async def gather_overview(siblings: Siblings) -> Overview:
    """The learner's view; a sibling that does not answer in time is named in ``partial``."""
    asks: dict[str, Callable[[], Awaitable[Any]]] = {
        "progress": siblings.progress,
        "mastery": siblings.mastery,
        "scores": siblings.scores,
        "goals": siblings.goals,
        "points": siblings.standing,
    }
    answers = await asyncio.gather(*(_ask(name, ask) for name, ask in asks.items()))
    part = dict(zip(asks, answers, strict=True))
    mastery, scores = part["mastery"] or {}, part["scores"] or {}
    courses = [
        card.model_copy(
            update={"mastery": mastery.get(card.course, []), "scores": scores.get(card.course, [])}
        )
        for card in part["progress"] or []
    ]
    return Overview(
        courses=courses,
        goals=part["goals"] or [],
        points=part["points"],
        partial=[name for name, answer in part.items() if answer is None],
        as_of=clock.now(),
    )


async def _ask(name: str, ask: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await ask()
    except Unavailable as error:
        await log.awarning("a part of the dashboard did not answer", part=name, error=error.detail)
        return None


async def learner_overview(runtime: Runtime, actor: Actor) -> Overview:
    """The cached view when nothing changed since, else a new one; a partial view is never kept.

    The generation is read before gathering: a view that an event overtakes while it is gathered is
    stored under the old generation, where nobody looks any more.
    """
    settings = cast("DashboardSettings", runtime.settings)
    key = await _key(runtime, actor)
    cached = await _stored(runtime, key)
    if cached:
        return Overview.model_validate_json(cached)
    deadline_s = settings.part_deadline.total_seconds()
    view = await gather_overview(Siblings(runtime, actor.tenant, actor.user_id, deadline_s))
    if key and not view.partial:
        await _store(runtime, key, view.model_dump_json(by_alias=True), settings.view_ttl)
    return view


async def _stored(runtime: Runtime, key: str | None) -> bytes | str | None:
    if key is None:
        return None
    with suppress(RedisError):
        return await runtime.cache.get(key)
    return None


async def _store(runtime: Runtime, key: str, view: str, ttl: timedelta) -> None:
    with suppress(RedisError):
        await runtime.cache.set(key, view, ex=ttl)


async def advance_learners(runtime: Runtime, tenant: str, learners: Iterable[UUID]) -> None:
    """Views of these learners are gathered anew from now on."""
    async with runtime.cache.pipeline(transaction=False) as pipeline:
        for learner in set(learners):
            pipeline.incr(f"dashboard:{tenant}:generation:{learner}")
        await pipeline.execute()


async def advance_tenant(runtime: Runtime, tenant: str) -> None:
    """All views of the tenant are gathered anew from now on."""
    await runtime.cache.incr(f"dashboard:{tenant}:generation")


async def _key(runtime: Runtime, actor: Actor) -> str | None:
    """Cache key with tenant, subject, roles and generation; None while the cache is down."""
    names = [
        f"dashboard:{actor.tenant}:generation",
        f"dashboard:{actor.tenant}:generation:{actor.user_id}",
    ]
    try:
        tenant, learner = await runtime.cache.mget(names)
    except RedisError:
        return None
    roles = ",".join(sorted(actor.roles))
    return f"dashboard:{actor.tenant}:view:{actor.user_id}:{roles}:{_number(tenant)}.{_number(learner)}"


def _number(raw: bytes | str | None) -> int:
    return int(raw or 0)


async def forget(tx: AsyncSession, runtime: Runtime, tenant: str, learner_id: UUID) -> None:
    """What says something of the person is forgotten, their cached views too."""
    await erase(tx, metadata, {}, learner_id)
    await advance_learners(runtime, tenant, [learner_id])
