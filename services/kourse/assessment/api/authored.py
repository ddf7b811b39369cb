"""Routes for authors: pools and exams that are made through the API, not by a resource."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict

from kourse.assessment import authoring, schemas
from kourse.contracts.errors import Conflict, Forbidden, KourseError
from kourse.contracts.examples import SPECS
from kourse.contracts.permissions import DENIALS, Permission
from kourse.contracts.plans import Declaration, PlanRequest, PlanView
from kourse.contracts.resources import (
    EXAM_CONFIG,
    QUESTION_POOL,
    DeletionPolicy,
    Document,
    ExamConfigSpec,
    QuestionPoolSpec,
)
from kourse.contracts.resources.meta import Name
from kourse.kit import documents
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Database, Transaction
from kourse.kit.deletions import Deletion
from kourse.kit.documents import Doc, Refused
from kourse.kit.http.etags import IfMatch, digest_of, etag_of
from kourse.kit.http.routes import patient
from kourse.kit.runtime import CurrentRuntime

router = APIRouter(prefix="/v1/authoring", tags=["authoring"])


class PoolBody(QuestionPoolSpec):
    """A question pool, as in a QuestionPool resource's ``spec``."""

    model_config = ConfigDict(
        defer_build=False, json_schema_extra={"examples": [SPECS["QuestionPool"]]}
    )


class ExamBody(ExamConfigSpec):
    """An exam, as in an ExamConfig resource's ``spec``."""

    model_config = ConfigDict(
        defer_build=False, json_schema_extra={"examples": [SPECS["ExamConfig"]]}
    )


Author = Annotated[Actor, allow(Permission.EXAM_AUTHOR)]
Policy = Annotated[
    DeletionPolicy,
    Query(alias="deletionPolicy", description="Whether what learners made with it goes too."),
]


@router.post("/plans/assessments", summary="Plan pools and exams", dependencies=[patient])
async def plan_assessments(
    actor: Annotated[Actor, allow(Permission.EXAM_PLAN, scoped=True)],
    runtime: CurrentRuntime,
    body: PlanRequest,
) -> PlanView:
    """What applying the pools and exams would do; nothing is written."""

    def refusal(one: Declaration) -> KourseError | None:
        held = actor.holds(Permission.EXAM_PLAN, course=one.spec.get("courseRef"))
        return None if held else Forbidden(DENIALS[Permission.EXAM_PLAN])

    return await authoring.plan(runtime, actor.tenant, body, refusal)


@router.put("/pools/{name}")
async def put_pool(
    actor: Author,
    runtime: CurrentRuntime,
    name: Name,
    spec: PoolBody,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.AppliedView:
    """The pool stands as given; changed questions have new versions.

    With If-Match only when nobody changed it since.
    """
    response.headers["ETag"] = etag_of(documents.digest_of(spec))
    return await _put(runtime.database, actor, QUESTION_POOL.kind, name, spec, if_match)


@router.get("/pools/{name}")
async def get_pool(
    actor: Author,  # noqa: ARG001 - the permission
    tx: Transaction,
    name: Name,
    response: Response,
) -> schemas.DeclaredView:
    """The pool as it was declared last, with its keys; its ETag guards changes."""
    return await _get(tx, QUESTION_POOL.kind, name, response)


@router.delete("/pools/{name}", status_code=204)
async def delete_pool(
    actor: Author,
    runtime: CurrentRuntime,
    name: Name,
    policy: Policy = DeletionPolicy.RETAIN,
    if_match: IfMatch = None,
) -> None:
    """The pool is no longer declared; its questions stay with the attempts that have them."""
    wanted = Deletion(name, actor.user_id, digest_of(if_match))
    await _delete(runtime.database, actor.tenant, QUESTION_POOL.kind, wanted, policy)


@router.put("/exams/{name}")
async def put_exam(
    actor: Author,
    runtime: CurrentRuntime,
    name: Name,
    spec: ExamBody,
    response: Response,
    if_match: IfMatch = None,
) -> schemas.AppliedView:
    """The exam stands as given; changed content is a new version, changed dates and limits are not.

    With If-Match only when nobody changed it since.
    """
    response.headers["ETag"] = etag_of(documents.digest_of(spec))
    return await _put(runtime.database, actor, EXAM_CONFIG.kind, name, spec, if_match)


@router.get("/exams/{name}")
async def get_declared_exam(
    actor: Author,  # noqa: ARG001 - the permission
    tx: Transaction,
    name: Name,
    response: Response,
) -> schemas.DeclaredView:
    """The exam as it was declared last; its ETag guards changes."""
    return await _get(tx, EXAM_CONFIG.kind, name, response)


@router.delete("/exams/{name}", status_code=204)
async def delete_exam(
    actor: Author,
    runtime: CurrentRuntime,
    name: Name,
    policy: Policy = DeletionPolicy.RETAIN,
    if_match: IfMatch = None,
) -> None:
    """The exam can be neither seen nor started; attempts and scores stay unless `Delete` is asked."""
    wanted = Deletion(name, actor.user_id, digest_of(if_match))
    await _delete(runtime.database, actor.tenant, EXAM_CONFIG.kind, wanted, policy)


async def _put(
    database: Database, actor: Actor, kind: str, name: str, spec: Document, if_match: str | None
) -> schemas.AppliedView:
    seen = digest_of(if_match)
    doc: Doc[Any] = Doc(name=name, spec=spec, source="api", seen=seen, actor=actor.user_id)
    (result,) = await authoring.apply_many(database, actor.tenant, kind, [doc])
    if isinstance(result, Refused):
        raise result.error
    return schemas.AppliedView.of(result)


async def _get(tx: Transaction, kind: str, name: str, response: Response) -> schemas.DeclaredView:
    found = await documents.get_in_force(tx, kind, name)
    response.headers["ETag"] = etag_of(found.digest)
    return schemas.DeclaredView.of(found)


async def _delete(
    database: Database, tenant: str, kind: str, wanted: Deletion, policy: DeletionPolicy
) -> None:
    pending = await authoring.delete(database, tenant, kind, wanted, policy)
    if pending:
        raise Conflict(pending[0].message)
