"""The one door through which courses are declared, for the REST API and for the operator alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from uuid import UUID

from kourse.contracts.errors import DocumentChanged, KourseError
from kourse.contracts.plans import Declaration, PlanRequest, PlanView
from kourse.contracts.resources import CourseSpec, DeletionPolicy
from kourse.course.repository import census, content
from kourse.course.service import creation, publishing, retirement
from kourse.course.service import planning as planned
from kourse.kit import deletions, documents, planning
from kourse.kit.clock import database_now
from kourse.kit.db import Database
from kourse.kit.deletions import Deletion
from kourse.kit.documents import Applied, Declared, Doc, Pending, Refused, Result
from kourse.kit.runtime import Runtime

KINDS = (publishing.KIND,)
MOST_TRIES = 5


@dataclass(frozen=True)
class Edited:
    """A document that was changed in one part.

    Attributes:
        result: What became of it.
        spec: The document as it is now.
        digest: Its digest.
    """

    result: Applied
    spec: CourseSpec
    digest: str


async def apply_many(
    database: Database, tenant: str, kind: str, docs: Sequence[Doc[CourseSpec]]
) -> list[Result]:
    """Applies courses in one transaction, a savepoint for each; results in the order of ``docs``.

    Raises:
        Unavailable: The database did not take them; applying again is safe.
    """
    return await documents.apply_each(
        database, tenant, kind, docs, publishing.apply, publishing.keep_wish, creation.create
    )


async def plan(
    runtime: Runtime,
    tenant: str,
    request: PlanRequest,
    refusal: Callable[[Declaration], KourseError | None],
) -> PlanView:
    """What applying courses would do to rows and learners; nothing is written.

    Args:
        runtime: The service's.
        tenant: Whose courses.
        request: The documents, with the files that would be sent and what siblings would tell.
        refusal: Why the caller may not plan a document, or None.
    """
    return await planning.plan(runtime, tenant, request, planned.owner(request.files), refusal)


async def retire(
    database: Database,
    tenant: str,
    kind: str,  # noqa: ARG001 - every owner has the same signature
    name: str,
    uid: str | None,
    policy: DeletionPolicy,
) -> list[Pending]:
    """Takes a course out of service; empty when done, else what still keeps it. Repeating is safe."""
    async with database.transaction(tenant) as tx:
        return await retirement.retire(tx, name, uid, policy)


async def read(database: Database, tenant: str, name: str) -> Declared:
    """The document that is in force under this name.

    Raises:
        NotFound: There is none.
    """
    async with database.transaction(tenant) as tx:
        return await documents.get_in_force(tx, publishing.KIND, name)


async def delete(database: Database, tenant: str, wanted: Deletion) -> list[Pending]:
    """Deletes a course that was made through the REST API, as its deletion policy says. It is audited.

    Raises:
        NotFound: There is none.
        DocumentChanged: It changed since it was read.
        OwnedByResource: It is declared by a resource.
    """
    async with database.transaction(tenant) as tx:
        found = await deletions.begin(tx, publishing.KIND, wanted)
        policy = documents.deletion_policy(found)
        if policy is DeletionPolicy.RETAIN:
            return await retirement.retire(tx, wanted.name, None, policy)
        await retirement.begin_deletion(tx, wanted.name)
    return [retirement.DELETING]


async def edit(
    database: Database,
    tenant: str,
    name: str,
    change: Callable[[CourseSpec], CourseSpec],
    *,
    actor: UUID,
    seen: str | None,
) -> Edited:
    """The document that is in force, changed and applied; whoever changes another part is not overwritten.

    Args:
        database: The service's.
        tenant: Whose course.
        name: Its name.
        change: Gives the document that is wanted from the one in force; called again when that changed.
        actor: Who changes it.
        seen: Digest of the document that the caller has read, or None for any.

    Raises:
        NotFound: There is no such course.
        DocumentChanged: It changed since it was read, or again and again.
        OwnedByResource: It is declared by a resource.
        KourseError: ``change`` or the document that it gave was refused.
    """
    error: KourseError = DocumentChanged()
    for _ in range(MOST_TRIES):
        found = await read(database, tenant, name)
        if seen is not None and seen != found.digest:
            raise DocumentChanged(f"Read {name!r} again, and see what became of it.")
        spec = change(CourseSpec.model_validate(found.spec))
        doc = Doc[CourseSpec](name, spec, "api", seen=found.digest, actor=actor)
        (result,) = await apply_many(database, tenant, found.kind, [doc])
        if not isinstance(result, Refused):
            return Edited(result, spec, documents.digest_of(spec))
        error = result.error
        if not isinstance(error, DocumentChanged):
            break
    raise error


async def observe(
    database: Database,
    tenant: str,
    kind: str,  # noqa: ARG001 - every owner has the same signature
    names: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """What changes without a document: ``learners``, the active enrolments, and ``nextDate`` or None."""
    async with database.transaction(tenant) as tx:
        counts = await content.count_learners(tx, names)
        upcoming = await census.next_dates(tx, names, await database_now(tx))
    return {
        name: {
            "learners": learners,
            "nextDate": (upcoming[name].astimezone(UTC).isoformat() if name in upcoming else None),
        }
        for name, learners in counts.items()
    }


async def forget_assets(database: Database, tenant: str, name: str) -> int:
    """Every file of the course counts as missing until it is seen in the bucket; how many were not.

    For a bucket that was lost: the versions that are live stay so, and the next apply names what is
    to be sent again.
    """
    async with database.transaction(tenant) as tx:
        return await content.forget_stored(tx, name)
