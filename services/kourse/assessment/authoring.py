"""The door for declared content: the operator and the REST API both come in here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kourse.assessment.repository import content
from kourse.assessment.service import planning as planned
from kourse.assessment.service.exams import apply_exam, retire_exam
from kourse.assessment.service.pools import apply_pool, retire_pool
from kourse.contracts.errors import KourseError
from kourse.contracts.plans import Declaration, PlanRequest, PlanView
from kourse.contracts.resources import EXAM_CONFIG, QUESTION_POOL, DeletionPolicy
from kourse.kit import deletions, documents, planning
from kourse.kit.db import Database
from kourse.kit.deletions import Deletion
from kourse.kit.documents import Doc, Pending, Result
from kourse.kit.runtime import Runtime

_APPLY: dict[str, Any] = {QUESTION_POOL.kind: apply_pool, EXAM_CONFIG.kind: apply_exam}
_RETIRE = {QUESTION_POOL.kind: retire_pool, EXAM_CONFIG.kind: retire_exam}


async def apply_many(
    database: Database, tenant: str, kind: str, docs: Sequence[Doc[Any]]
) -> list[Result]:
    """Applies pools or exams in one transaction, a savepoint each; results in the order of ``docs``."""
    return await documents.apply_each(database, tenant, kind, docs, _APPLY[kind])


async def plan(
    runtime: Runtime,
    tenant: str,
    request: PlanRequest,
    refusal: Callable[[Declaration], KourseError | None],
) -> PlanView:
    """What applying pools and exams would do to rows and learners; nothing is written.

    Args:
        runtime: The service's.
        tenant: Whose pools and exams.
        request: The documents, and what siblings would tell.
        refusal: Why the caller may not plan a document, or None.
    """
    return await planning.plan(runtime, tenant, request, planned.OWNER, refusal)


async def retire(
    database: Database,
    tenant: str,
    kind: str,
    name: str,
    uid: str | None,
    policy: DeletionPolicy,
) -> list[Pending]:
    """The pool or exam is no longer declared; empty when done, also when there never was one."""
    async with database.transaction(tenant) as tx:
        return await _RETIRE[kind](tx, name, uid, policy)


async def delete(
    database: Database, tenant: str, kind: str, wanted: Deletion, policy: DeletionPolicy
) -> list[Pending]:
    """Deletes a pool or exam that was made through the REST API; empty when done. It is audited.

    Raises:
        NotFound: There is none.
        DocumentChanged: It changed since it was read.
        OwnedByResource: It is declared by a resource.
    """
    async with database.transaction(tenant) as tx:
        await deletions.begin(tx, kind, wanted)
        return await _RETIRE[kind](tx, wanted.name, None, policy)


async def observe(
    database: Database, tenant: str, kind: str, names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Counts for the status of pools (``questions``) or exams (``attempts``), by name."""
    async with database.transaction(tenant) as tx:
        if kind == QUESTION_POOL.kind:
            questions = await content.count_questions(tx, names)
            return {name: {"questions": questions.get(name, 0)} for name in names}
        attempts = await content.count_attempts(tx, names)
        return {name: {"attempts": attempts.get(name, 0)} for name in names}
