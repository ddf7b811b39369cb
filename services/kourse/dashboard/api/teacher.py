"""What teachers see of those in their scope."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from kourse.contracts.errors import Malformed, NotFound
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.meta import Name
from kourse.dashboard.api.answers import AsForm, Form, answered, documented
from kourse.dashboard.domain.wanted import Wanted
from kourse.dashboard.schemas.teacher import LearnerTable, MasteryMatrix
from kourse.dashboard.service import teaching
from kourse.kit.auth import Actor, allow
from kourse.kit.auth.scope import cohorts_within
from kourse.kit.http import After, Cursor
from kourse.kit.runtime import CurrentRuntime

router = APIRouter(tags=["dashboard"])
MOST = 500

Teacher = Annotated[Actor, allow(Permission.DASHBOARD_READ, scoped=True)]
Cohort = Annotated[Name | None, Query(description="Only learners of this cohort.")]
AtRisk = Annotated[
    bool, Query(alias="atRisk", description="Only learners to whom a rule of `atRisk` applies.")
]
Rows = Annotated[int, Query(alias="limit", ge=1, le=MOST, description="Most rows in the answer.")]


@router.get(
    "/v1/dashboard/courses/{course}",
    summary="Learners of a course",
    response_model=LearnerTable,
    responses=documented("Learners in the teacher's scope, by id."),
)
async def read_course(
    runtime: CurrentRuntime,
    actor: Teacher,
    course: Name,
    cohort: Cohort = None,
    at_risk: AtRisk = False,  # noqa: FBT002 - a query parameter
    form: AsForm = Form.JSON,
    limit: Rows = 100,
    after: After = None,
) -> Response:
    """Progress, mean mastery, last activity and reasons to help, of the learners whom the teacher may see."""
    cohorts = cohorts_within(actor, Permission.DASHBOARD_READ, course, cohort)
    wanted = Wanted(course, cohorts, at_risk, _after(after), limit)
    return answered(await teaching.learner_table(runtime, actor, wanted, form), form, course)


@router.get(
    "/v1/dashboard/courses/{course}/mastery",
    summary="Learners by skills",
    response_model=MasteryMatrix,
    responses=documented("A row for each learner in the teacher's scope, a column for each skill."),
)
async def read_mastery(
    runtime: CurrentRuntime,
    actor: Teacher,
    course: Name,
    cohort: Cohort = None,
    form: AsForm = Form.JSON,
    limit: Rows = 100,
    after: After = None,
) -> Response:
    """Mastery of every skill of a course, of the learners whom the teacher may see."""
    cohorts = cohorts_within(actor, Permission.DASHBOARD_READ, course, cohort)
    wanted = Wanted(course, cohorts, after=_after(after), limit=limit)
    body = await teaching.mastery_matrix(runtime, actor, wanted, form)
    return answered(body, form, f"{course}-mastery")


@router.get(
    "/v1/dashboard/cohorts/{cohort}",
    summary="Learners of a cohort",
    response_model=LearnerTable,
    responses=documented("The cohort's learners, by course and id."),
)
async def read_cohort(
    runtime: CurrentRuntime,
    actor: Teacher,
    cohort: Name,
    at_risk: AtRisk = False,  # noqa: FBT002 - a query parameter
    form: AsForm = Form.JSON,
    limit: Rows = 100,
    after: After = None,
) -> Response:
    """The same for a cohort, in all courses that its learners study with it."""
    if not actor.holds(Permission.DASHBOARD_READ, cohort=cohort):
        raise NotFound(f"There is no cohort {cohort!r} for you here.")
    wanted = Wanted(None, frozenset({cohort}), at_risk, _after(after), limit)
    return answered(await teaching.learner_table(runtime, actor, wanted, form), form, cohort)


def _after(cursor: str | None) -> tuple[str, UUID] | None:
    key = Cursor.decode(cursor, 2)
    if key is None:
        return None
    try:
        return str(key[0]), UUID(str(key[1]))
    except ValueError:
        raise Malformed("`after` is no cursor of this list.") from None
