"""What views depend on, and how they learn that it changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.dashboard.settings import DashboardSettings
from kourse.kit.auth import Actor
from kourse.kit.db import Database, after_commit
from kourse.kit.runtime import Runtime
from kourse.kit.views import Lifetimes, Views

VERSION = 2
"""Of what is stored; a release that shows something else counts it up."""
TENANT = "tenant"
"""Mark of what everybody's view depends on."""
_PENDING = "touched marks"


def of_learner(learner_id: UUID) -> str:
    """Mark of what concerns one learner."""
    return f"learner:{learner_id}"


def of_course(course: str) -> str:
    """Mark of what concerns anybody in a course."""
    return f"course:{course}"


def of_cohort(cohort: str) -> str:
    """Mark of what concerns anybody in a cohort, whatever they study."""
    return f"cohort:{cohort}"


def views_of(runtime: Runtime) -> Views:
    """The process's views."""
    views: Views | None = runtime.extras.get("views")
    if views is None:
        settings: DashboardSettings = runtime.settings
        lifetimes = Lifetimes(
            fresh=settings.view_fresh, overtaken=settings.view_overtaken, kept=settings.view_ttl
        )
        views = runtime.extras["views"] = Views(runtime.cache, "dashboard", lifetimes)
    return views


def touch(tx: AsyncSession, marks: Iterable[str]) -> None:
    """Views that depend on these are made anew once the transaction is committed."""
    pending: set[str] | None = tx.info.get(_PENDING)
    if pending is None:
        pending = tx.info[_PENDING] = set()
        tenant, touched = str(tx.info["tenant"]), pending

        def act(database: Database) -> None:
            runtime: Runtime = database.info["runtime"]
            database.spawn(views_of(runtime).touch(tenant, touched))

        after_commit(tx, act)
    pending.update(marks)


def key_for(actor: Actor, *what: object) -> str:
    """Key of a view as this person sees it: tenant, subject, roles with scopes, and what is shown.

    What a role allows may change with a release, so the key carries the version of what is stored too.
    """
    roles = ",".join(sorted((*actor.roles, *actor.scopes)))
    limit = "" if actor.limit is None else ",".join(sorted(actor.limit))
    seen_as = hashlib.sha256(f"{roles};{limit}".encode()).hexdigest()[:16]
    shown = ":".join(map(str, what))
    return f"v{VERSION}:{actor.tenant}:{actor.user_id}:{seen_as}:{shown}"
