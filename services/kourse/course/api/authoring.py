"""Routes for authors: the documents that manifests use, and the files they name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from kourse.contracts.errors import Forbidden, KourseError
from kourse.contracts.permissions import DENIALS, Permission
from kourse.contracts.plans import Declaration, PlanRequest, PlanView
from kourse.contracts.resources import COURSE, CourseSpec
from kourse.course import authoring, schemas
from kourse.course.api import views
from kourse.course.api.authors import (
    Author,
    CourseName,
    require_may_publish,
)
from kourse.course.service import assets
from kourse.course.service.assets import Offered
from kourse.kit import documents
from kourse.kit.auth import Actor, allow
from kourse.kit.deletions import Deletion
from kourse.kit.documents import Doc, Refused
from kourse.kit.http.etags import IfMatch, digest_of, etag_of
from kourse.kit.http.routes import patient
from kourse.kit.runtime import CurrentRuntime

router = APIRouter(tags=["authoring"])
KIND = COURSE.kind


Planner = Annotated[Actor, allow(Permission.COURSE_PLAN, scoped=True)]


@router.post("/v1/authoring/plans/courses", summary="Plan courses", dependencies=[patient])
async def plan_courses(runtime: CurrentRuntime, actor: Planner, body: PlanRequest) -> PlanView:
    """What applying the courses would do; nothing is written."""

    def refusal(one: Declaration) -> KourseError | None:
        held = actor.holds(Permission.COURSE_PLAN, course=one.name)
        return None if held else Forbidden(DENIALS[Permission.COURSE_PLAN])

    return await authoring.plan(runtime, actor.tenant, body, refusal)


@router.put("/v1/authoring/courses/{course}", summary="Declare a course")
async def put_course(
    runtime: CurrentRuntime,
    actor: Author,
    course: CourseName,
    spec: schemas.CourseDocument,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.DocumentView:
    """The course is as the document says; new content makes a new version.

    With If-Match only when nobody changed the document since.
    """
    require_may_publish(actor, course, spec)
    doc = Doc[CourseSpec](course, spec, "api", seen=digest_of(if_match), actor=actor.user_id)
    (result,) = await authoring.apply_many(runtime.database, actor.tenant, KIND, [doc])
    if isinstance(result, Refused):
        raise result.error
    response.headers["ETag"] = etag_of(documents.digest_of(spec))
    return schemas.DocumentView.model_validate(result)


@router.get("/v1/authoring/courses/{course}", summary="Read a course's document")
async def read_document(
    runtime: CurrentRuntime, actor: Author, course: CourseName, response: Response
) -> schemas.DeclaredView:
    """The document as it was declared last, through whichever door; its ETag guards changes."""
    found = await authoring.read(runtime.database, actor.tenant, course)
    response.headers["ETag"] = etag_of(found.digest)
    return schemas.DeclaredView.model_validate(found)


@router.delete(
    "/v1/authoring/courses/{course}",
    status_code=204,
    summary="Delete a course",
    response_model=None,
    responses={202: {"model": schemas.RetiredView, "description": "Some of it is still to go."}},
)
async def delete_course(
    runtime: CurrentRuntime, actor: Author, course: CourseName, if_match: IfMatch = None
) -> Response | JSONResponse:
    """The course is no longer offered; what its deletion policy says becomes of the rest.

    With If-Match only when nobody changed the document since.
    """
    wanted = Deletion(course, actor.user_id, digest_of(if_match))
    pending = await authoring.delete(runtime.database, actor.tenant, wanted)
    if not pending:
        return Response(status_code=204)
    view = schemas.RetiredView.model_validate({"pending": pending})
    return JSONResponse(view.model_dump(by_alias=True), status_code=202)


@router.post("/v1/authoring/courses/{course}/assets", summary="Offer files")
async def offer_assets(
    runtime: CurrentRuntime, actor: Author, course: CourseName, body: schemas.OfferedAssets
) -> schemas.WantedAssets:
    """Links for the files that are not stored yet; send each, then confirm them."""
    offered = [Offered(entry.path, entry.sha256, entry.size) for entry in body.assets]
    wanted = await assets.request_uploads(runtime, actor.tenant, course, offered)
    types = {entry.sha256: entry.content_type for entry in body.assets}
    return views.wanted(wanted, types)


@router.post("/v1/authoring/courses/{course}/assets/stored", summary="Confirm files")
async def confirm_assets(
    runtime: CurrentRuntime, actor: Author, course: CourseName, body: schemas.SentAssets
) -> schemas.StoredAssets:
    """The files are read back and compared; a version that waited only for them goes live."""
    stored = await assets.confirm(runtime, actor.tenant, course, body.sha256s)
    return schemas.StoredAssets.model_validate(stored)
