"""What learners see of themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response

from kourse.contracts.permissions import Permission
from kourse.dashboard.api.answers import answered
from kourse.dashboard.schemas.learner import Overview
from kourse.dashboard.service import overview
from kourse.kit.auth import Actor, allow
from kourse.kit.runtime import CurrentRuntime

router = APIRouter(tags=["dashboard"])


@router.get("/v1/dashboard", summary="The learner's overview", response_model=Overview)
async def read_dashboard(
    runtime: CurrentRuntime, actor: Annotated[Actor, allow(Permission.DASHBOARD_OWN)]
) -> Response:
    """Where the learner stands: progress, mastery, scores, what is next and why, what is due, goals, points."""
    return answered(await overview.overview(runtime, actor))
