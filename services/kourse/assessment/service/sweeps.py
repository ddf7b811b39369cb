"""What happens without anybody asking: overdue attempts end, forgotten ones are graded, scores appear.

Each round finds what is due under the worker role, then acts on each thing in its own tenant's
transaction through the same use cases as everybody else, so any number of replicas may sweep at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.repository import due
from kourse.assessment.service.attempts import EXPIRY_GRACE, expire
from kourse.assessment.service.grading import grade, release_if_due
from kourse.assessment.service.mastery import refold_course
from kourse.assessment.service.reach import reach
from kourse.assessment.service.regrading import advance
from kourse.contracts.errors import Unavailable
from kourse.kit import sweeping
from kourse.kit.db import Database

log = structlog.get_logger(__name__)

INTERVAL_S = 1.0
GRADING_PATIENCE = timedelta(seconds=30)
"""How long a submitted attempt is left to the work queue before it is graded here."""

Find = Callable[[AsyncSession], Awaitable[list[due.Found]]]
Act = Callable[[AsyncSession, UUID], Awaitable[Any]]

ROUNDS: tuple[tuple[str, Find, Act], ...] = (
    ("reach", due.list_reaching, reach),
    ("expire", lambda tx: due.list_overdue(tx, EXPIRY_GRACE), expire),
    ("grade", lambda tx: due.list_ungraded(tx, GRADING_PATIENCE), grade),
    ("release", due.list_release_due, release_if_due),
    ("regrade", due.list_regrading, advance),
    ("refold", due.list_refolding, refold_course),
)
"""In this order: a longer deadline is given before anything is ended."""


async def sweep(database: Database, worker: Database) -> int:
    """One round; how many things were acted on.

    A thing that fails is logged and tried again in the next round, and holds up no other.

    Raises:
        Unavailable: The database does not answer.
    """
    acted = 0
    for name, find, act in ROUNDS:
        async with worker.transaction(None) as tx:
            found = await find(tx)
        for tenant, id_ in found:
            acted += await _act(database, name, act, tenant, id_)
    return acted


async def sweep_forever(database: Database, worker: Database) -> None:
    """Sweeps every second until cancelled; a database that is down is waited for."""
    await sweeping.repeat(lambda: sweep(database, worker), INTERVAL_S)


async def _act(database: Database, name: str, act: Act, tenant: str, id_: UUID) -> bool:
    try:
        async with database.transaction(tenant) as tx:
            await act(tx, id_)
    except Unavailable:
        raise
    except Exception:
        log.exception("sweep.failed", round=name, tenant=tenant, id=str(id_))
        return False
    return True
