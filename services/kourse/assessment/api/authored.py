"""Routes for authors: pools and exams that are made through the API, not by a resource."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict

from kourse.assessment import authoring, schemas
from kourse.contracts.errors import Conflict, Forbidden, KourseError, NotFound
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
from kourse.kit.documents import Doc, Refused
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
    actor: Author, runtime: CurrentRuntime, name: Name, spec: PoolBody
) -> schemas.AppliedView:
    """The pool stands as given; changed questions have new versions."""
    return await _put(runtime.database, actor.tenant, QUESTION_POOL.kind, name, spec)


@router.get("/pools/{name}")
async def get_pool(actor: Author, tx: Transaction, name: Name) -> schemas.DeclaredView:  # noqa: ARG001 - the permission
    """The pool as it was declared last, with its keys."""
    return await _get(tx, QUESTION_POOL.kind, name)


@router.delete("/pools/{name}", status_code=204)
async def delete_pool(
    actor: Author,
    runtime: CurrentRuntime,
    name: Name,
    policy: Policy = DeletionPolicy.RETAIN,
) -> None:
    """The pool is no longer declared; its questions stay with the attempts that have them."""
    await _delete(runtime.database, actor.tenant, QUESTION_POOL.kind, name, policy)


@router.put("/exams/{name}")
async def put_exam(
    actor: Author, runtime: CurrentRuntime, name: Name, spec: ExamBody
) -> schemas.AppliedView:
    """The exam stands as given; changed content is a new version, changed dates and limits are not."""
    return await _put(runtime.database, actor.tenant, EXAM_CONFIG.kind, name, spec)


@router.get("/exams/{name}")
async def get_declared_exam(actor: Author, tx: Transaction, name: Name) -> schemas.DeclaredView:  # noqa: ARG001 - the permission
    """The exam as it was declared last."""
    return await _get(tx, EXAM_CONFIG.kind, name)


@router.delete("/exams/{name}", status_code=204)
async def delete_exam(
    actor: Author,
    runtime: CurrentRuntime,
    name: Name,
    policy: Policy = DeletionPolicy.RETAIN,
) -> None:
    """The exam can be neither seen nor started; attempts and scores stay unless `Delete` is asked."""
    await _delete(runtime.database, actor.tenant, EXAM_CONFIG.kind, name, policy)


async def _put(
    database: Database, tenant: str, kind: str, name: str, spec: Document
) -> schemas.AppliedView:
    doc: Doc[Any] = Doc(name=name, spec=spec, source="api")
    (result,) = await authoring.apply_many(database, tenant, kind, [doc])
    if isinstance(result, Refused):
        raise result.error
    return schemas.AppliedView.of(result)


async def _get(tx: Transaction, kind: str, name: str) -> schemas.DeclaredView:
    found = await documents.find(tx, kind, name)
    if found is None or found.retired:
        raise NotFound(f"There is no {kind} {name!r}.")
    return schemas.DeclaredView.of(found)


async def _delete(
    database: Database, tenant: str, kind: str, name: str, policy: DeletionPolicy
) -> None:
    pending = await authoring.retire(database, tenant, kind, name, None, policy)
    if pending:
        raise Conflict(pending[0].message)
