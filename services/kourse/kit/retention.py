"""What every schema may forget: stored answers past their time, and the tail of the event archive.

Runs under the worker role, whose policy reaches across tenants to exactly these tables. Deleting an inbox
row is safe: the entity's cursor still knows every event up to where it stands.
"""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import CursorResult, text

from kourse.contracts.errors import Unavailable
from kourse.kit.db import Database, statement

log = structlog.get_logger(__name__)

ARCHIVE_DAYS = 30
"""Days for which published events can be replayed."""
INBOX_DAYS = 35
"""Days for which an applied event is remembered by its id; longer than the archive, so replays are safe."""
EVERY_S = 3600.0
BATCH = 5000

_FORGET = {
    "idempotency_key": "DELETE FROM {schema}.idempotency_key WHERE expires_at <= clock_timestamp()",
    "inbox": (
        "DELETE FROM {schema}.inbox"
        " WHERE applied_at < clock_timestamp() - make_interval(days => :inbox_days)"
    ),
    "outbox": (
        "DELETE FROM {schema}.outbox WHERE id IN (SELECT id FROM {schema}.outbox"
        " WHERE created_at < clock_timestamp() - make_interval(days => :archive_days)"
        " AND published_at IS NOT NULL ORDER BY id LIMIT :batch)"
    ),
}


async def forget_once(database: Database) -> dict[str, int]:
    """Deletes what is past its time, the archive in batches; rows deleted, by table.

    Args:
        database: Of the worker role.

    Raises:
        Unavailable: The database is not there.
    """
    forgotten: dict[str, int] = {}
    for table, template in _FORGET.items():
        deleted = forgotten[table] = await _delete(database, template)
        while deleted == BATCH:
            deleted = await _delete(database, template)
            forgotten[table] += deleted
    return forgotten


async def _delete(database: Database, template: str) -> int:
    known = {"inbox_days": INBOX_DAYS, "archive_days": ARCHIVE_DAYS, "batch": BATCH}
    values = {name: value for name, value in known.items() if f":{name}" in template}
    async with database.transaction(None) as tx:
        await tx.execute(text("SET LOCAL statement_timeout = '5min'"))
        done = await tx.execute(statement(database.schema, template), values)
        return done.rowcount if isinstance(done, CursorResult) else 0


async def forget_for_ever(database: Database) -> None:
    """Forgets every hour until cancelled."""
    while True:
        try:
            forgotten = await forget_once(database)
            log.info("retention.done", service=database.schema, **forgotten)
        except Unavailable:
            log.warning("retention.interrupted", service=database.schema)
        await asyncio.sleep(EVERY_S)
