"""The one door through which cohorts are declared, for the REST API and for the operator alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kourse.contracts.errors import KourseError
from kourse.contracts.plans import Declaration, PlanRequest, PlanView
from kourse.contracts.resources import CohortSpec, DeletionPolicy
from kourse.kit import deletions, documents, planning
from kourse.kit.clock import database_now
from kourse.kit.db import Database
from kourse.kit.deletions import Deletion
from kourse.kit.documents import Declared, Doc, Pending, Result
from kourse.kit.runtime import Runtime
from kourse.profile.repository import cohorts
from kourse.profile.service import calendar, declaring
from kourse.profile.service import planning as planned

KINDS = (declaring.KIND,)


async def apply_many(
    database: Database, tenant: str, kind: str, docs: Sequence[Doc[CohortSpec]]
) -> list[Result]:
    """Applies cohorts in one transaction, a savepoint for each; results in the order of ``docs``.

    Raises:
        Unavailable: The database did not take them; applying again is safe.
    """
    return await documents.apply_each(database, tenant, kind, docs, declaring.apply)


async def plan(
    runtime: Runtime,
    tenant: str,
    request: PlanRequest,
    refusal: Callable[[Declaration], KourseError | None],
) -> PlanView:
    """What applying cohorts would do to rows and members; nothing is written.

    Args:
        runtime: The service's.
        tenant: Whose cohorts.
        request: The documents, and what siblings would tell.
        refusal: Why the caller may not plan a document, or None.
    """
    return await planning.plan(runtime, tenant, request, planned.owner(), refusal)


async def retire(
    database: Database,
    tenant: str,
    kind: str,  # noqa: ARG001 - every owner has the same signature
    name: str,
    uid: str | None,
    policy: DeletionPolicy,
) -> list[Pending]:
    """Takes a cohort out of service; empty when done, else what still keeps it. Repeating is safe."""
    async with database.transaction(tenant) as tx:
        return await declaring.retire(tx, name, uid, policy)


async def read(database: Database, tenant: str, name: str) -> Declared:
    """The document that is in force under this name.

    Raises:
        NotFound: There is none.
    """
    async with database.transaction(tenant) as tx:
        return await documents.get_in_force(tx, declaring.KIND, name)


async def delete(database: Database, tenant: str, wanted: Deletion) -> list[Pending]:
    """Deletes a cohort that was made through the REST API, as its deletion policy says. It is audited.

    Empty when done, else what is still to go.

    Raises:
        NotFound: There is none.
        DocumentChanged: It changed since it was read.
        OwnedByResource: It is declared by a resource.
    """
    async with database.transaction(tenant) as tx:
        found = await deletions.begin(tx, declaring.KIND, wanted)
        policy = documents.deletion_policy(found)
        return await declaring.retire(tx, wanted.name, None, policy)


async def observe(
    database: Database,
    tenant: str,
    kind: str,  # noqa: ARG001 - every owner has the same signature
    names: Sequence[str],
) -> dict[str, dict[str, Any]]:
    """What changes without a document: ``members``, and ``nextMeeting`` (RFC 3339) or None."""
    async with database.transaction(tenant) as tx:
        found = await cohorts.list_named(tx, names)
        counts = await cohorts.count_members(tx, [row.id for row in found])
        upcoming = await calendar.next_meetings(tx, found, await database_now(tx))
    return {
        row.name: {
            "members": counts.get(row.id, 0),
            "nextMeeting": (upcoming[row.id].starts_at.isoformat() if row.id in upcoming else None),
        }
        for row in found
    }
