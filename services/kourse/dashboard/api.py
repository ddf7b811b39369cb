"""REST of the dashboard service."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from kourse.contracts.permissions import Permission
from kourse.dashboard import service
from kourse.dashboard.schemas import Overview
from kourse.kit.auth import Actor, allow
from kourse.kit.runtime import CurrentRuntime

router = APIRouter(tags=["dashboard"])


@router.get("/v1/dashboard", summary="The learner's overview")
async def read_dashboard(
    runtime: CurrentRuntime, actor: Annotated[Actor, allow(Permission.DASHBOARD_OWN)]
) -> Overview:
    """Courses with progress, mastery and scores, goals and points of the person who asks."""
    return await service.learner_overview(runtime, actor)
