"""A learner's own view, gathered from the siblings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from kourse.dashboard.schemas.learner import Overview
from kourse.dashboard.service import marking
from kourse.dashboard.service.siblings import OfLearner, ask
from kourse.kit import clock
from kourse.kit.auth import Actor
from kourse.kit.runtime import Runtime
from kourse.kit.views import View


async def overview(runtime: Runtime, actor: Actor) -> bytes:
    """Where the learner stands, as JSON; parts that did not answer in time are named in it."""
    views = marking.views_of(runtime)
    marks = (
        views.mark(actor.tenant, marking.TENANT),
        views.mark(actor.tenant, marking.of_learner(actor.user_id)),
    )
    deadline_s = runtime.settings.part_deadline.total_seconds()
    siblings = OfLearner(runtime, actor.tenant, actor.user_id, deadline_s)

    async def make() -> View:
        view = await gather_overview(siblings)
        return View(view.model_dump_json(by_alias=True).encode(), is_whole=not view.partial)

    return await views.get(marking.key_for(actor, "overview"), marks, make)


async def gather_overview(siblings: OfLearner) -> Overview:
    """The learner's view; a sibling that does not answer in time is named in ``partial``."""
    asks: dict[str, Callable[[], Awaitable[Any]]] = {
        "progress": siblings.progress,
        "due": siblings.due,
        "mastery": siblings.mastery,
        "scores": siblings.scores,
        "goals": siblings.goals,
        "points": siblings.standing,
    }
    answers = await asyncio.gather(*(ask(name, question) for name, question in asks.items()))
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
        due=part["due"] or [],
        goals=part["goals"] or [],
        points=part["points"],
        partial=[name for name, answer in part.items() if answer is None],
        as_of=clock.now(),
    )
