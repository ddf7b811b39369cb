"""Key figures of a tenant."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response

from kourse.contracts.permissions import Permission
from kourse.dashboard.api.answers import AsForm, Form, answered, documented
from kourse.dashboard.schemas.figures import TenantFigures
from kourse.dashboard.service import figures
from kourse.kit.auth import Actor, allow
from kourse.kit.runtime import CurrentRuntime

router = APIRouter(tags=["dashboard"])


@router.get(
    "/v1/dashboard/tenant",
    summary="Key figures",
    response_model=TenantFigures,
    responses=documented("The figures, with the total and each course."),
)
async def read_figures(
    runtime: CurrentRuntime,
    actor: Annotated[Actor, allow(Permission.DASHBOARD_TENANT)],
    form: AsForm = Form.JSON,
) -> Response:
    """Completion, mastery, time to feedback, activity and learners at risk, by course and of all."""
    return answered(await figures.tenant_figures(runtime, actor, form), form, actor.tenant)
