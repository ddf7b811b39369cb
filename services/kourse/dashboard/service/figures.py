"""Key figures of a tenant, counted once and given out for a while; no event drops them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from kourse.dashboard.repository import views as sql
from kourse.dashboard.schemas.figures import CourseFigures, Figures, TenantFigures
from kourse.dashboard.service import marking
from kourse.kit import spreadsheets
from kourse.kit.auth import Actor
from kourse.kit.clock import database_now
from kourse.kit.runtime import Runtime
from kourse.kit.views import View

_NOBODY = Figures(
    learners=0, completion=None, mastery=None, feedback_hours=None, active=None, at_risk=0
)


async def tenant_figures(runtime: Runtime, actor: Actor, form: str) -> bytes:
    """The figures as JSON, or as CSV with a row for each course and the total first."""
    views = marking.views_of(runtime)

    async def make() -> View:
        found = await _count(runtime, actor.tenant)
        return View(_csv(found) if form == "csv" else found.model_dump_json(by_alias=True).encode())

    return await views.get(marking.key_for(actor, "figures", form), (), make)


async def _count(runtime: Runtime, tenant: str) -> TenantFigures:
    async with runtime.database.transaction(tenant) as tx:
        rows = await sql.figures(tx)
        hours = await sql.feedback_hours(tx)
        titles = await sql.titles(tx)
        now = await database_now(tx)
    total = next((row for row in rows if row.is_total), None)
    return TenantFigures(
        tenant=_NOBODY if total is None else Figures(**_values(total, hours.get(None))),
        courses=[
            CourseFigures(
                course=row.course,
                title=titles.get(row.course, row.course),
                **_values(row, hours.get(row.course)),
            )
            for row in sorted((row for row in rows if not row.is_total), key=lambda row: row.course)
        ],
        as_of=now,
    )


def _values(row: Row[Any], hours: float | None) -> dict[str, Any]:
    return {
        "learners": row.learners,
        "completion": row.completion,
        "mastery": row.mastery,
        "feedback_hours": hours,
        "active": row.active,
        "at_risk": row.at_risk,
    }


def _csv(found: TenantFigures) -> bytes:
    total = found.tenant.model_dump(by_alias=True)
    names = list(total)
    each = [one.model_dump(by_alias=True) for one in found.courses]
    rows: list[list[object]] = [
        ["course", "title", *names],
        ["", "", *(total[name] for name in names)],
        *([one["course"], one["title"], *(one[name] for name in names)] for one in each),
    ]
    return b"".join(map(spreadsheets.row, rows))
