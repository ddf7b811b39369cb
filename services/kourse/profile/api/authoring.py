"""Routes for those who run cohorts: the documents that manifests use."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from fastapi.responses import JSONResponse

from kourse.contracts.errors import Forbidden, KourseError, NotFound
from kourse.contracts.permissions import DENIALS, Permission
from kourse.contracts.plans import Declaration, PlanRequest, PlanView
from kourse.contracts.resources import COHORT, CohortSpec
from kourse.contracts.resources.meta import Name
from kourse.kit import documents
from kourse.kit.auth import Actor, allow
from kourse.kit.deletions import Deletion
from kourse.kit.documents import Doc, Refused
from kourse.kit.http.etags import IfMatch, digest_of, etag_of
from kourse.kit.http.routes import patient
from kourse.kit.runtime import CurrentRuntime
from kourse.profile import authoring, schemas

router = APIRouter(tags=["authoring"])
KIND = COHORT.kind
CohortName = Annotated[Name, Path(description="Name of the cohort.")]


async def _manager(
    actor: Annotated[Actor, allow(Permission.COHORT_MANAGE, scoped=True)], cohort: CohortName
) -> Actor:
    if not actor.holds(Permission.COHORT_MANAGE, cohort=cohort):
        # The same answer as for a cohort that does not exist.
        raise NotFound(f"There is no cohort {cohort!r} here.")
    return actor


Manager = Annotated[Actor, Depends(_manager)]
Planner = Annotated[Actor, allow(Permission.COHORT_PLAN, scoped=True)]


@router.post("/v1/authoring/plans/cohorts", summary="Plan cohorts", dependencies=[patient])
async def plan_cohorts(runtime: CurrentRuntime, actor: Planner, body: PlanRequest) -> PlanView:
    """What applying the cohorts would do; nothing is written."""

    def refusal(one: Declaration) -> KourseError | None:
        held = actor.holds(Permission.COHORT_PLAN, cohort=one.name)
        return None if held else Forbidden(DENIALS[Permission.COHORT_PLAN])

    return await authoring.plan(runtime, actor.tenant, body, refusal)


@router.put("/v1/authoring/cohorts/{cohort}", summary="Declare a cohort")
async def put_cohort(
    runtime: CurrentRuntime,
    actor: Manager,
    cohort: CohortName,
    spec: schemas.CohortDocument,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.DocumentView:
    """The cohort is as the document says; with If-Match only when nobody changed it since."""
    seen = digest_of(if_match)
    doc = Doc[CohortSpec](cohort, spec, "api", seen=seen, actor=actor.user_id)
    (result,) = await authoring.apply_many(runtime.database, actor.tenant, KIND, [doc])
    if isinstance(result, Refused):
        raise result.error
    response.headers["ETag"] = etag_of(documents.digest_of(spec))
    return schemas.DocumentView.model_validate(result)


@router.get("/v1/authoring/cohorts/{cohort}", summary="Read a cohort's document")
async def read_document(
    runtime: CurrentRuntime, actor: Manager, cohort: CohortName, response: Response
) -> schemas.DeclaredView:
    """The document as it was declared last, through whichever door; its ETag guards changes."""
    found = await authoring.read(runtime.database, actor.tenant, cohort)
    response.headers["ETag"] = etag_of(found.digest)
    return schemas.DeclaredView.model_validate(found)


@router.delete(
    "/v1/authoring/cohorts/{cohort}",
    status_code=204,
    summary="Delete a cohort",
    response_model=None,
    responses={202: {"model": schemas.RetiredView, "description": "Some of it is still to go."}},
)
async def delete_cohort(
    runtime: CurrentRuntime, actor: Manager, cohort: CohortName, if_match: IfMatch = None
) -> Response | JSONResponse:
    """Nobody can join the cohort any more; its deletion policy says what becomes of its members.

    With If-Match only when nobody changed the document since.
    """
    wanted = Deletion(cohort, actor.user_id, digest_of(if_match))
    pending = await authoring.delete(runtime.database, actor.tenant, wanted)
    if not pending:
        return Response(status_code=204)
    view = schemas.RetiredView.model_validate({"pending": pending})
    return JSONResponse(view.model_dump(by_alias=True), status_code=202)
