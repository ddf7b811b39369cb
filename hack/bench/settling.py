"""Waits until a stack has done all that follows from what it was asked, so that loads are measured one by one."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import psycopg
from psycopg import sql

from hack.stack.endpoints import Endpoints
from hack.stack.site import DATABASE_SERVICES

LOOK_S = 0.5
CALM_LOOKS = 3
"""So many looks in a row that find nothing: between an outbox and a queue an event is in neither."""
PATIENCE_S = 600.0


async def settled(where: Endpoints) -> float:
    """Returns when every event was published and taken; the seconds that this took.

    Raises:
        TimeoutError: Events still wait after ten minutes.
    """
    began, calm = time.perf_counter(), 0
    login = aiohttp.encode_basic_auth(where.broker_user, where.broker_password)
    async with aiohttp.ClientSession(
        where.broker_management_url, headers={"Authorization": login}
    ) as broker:
        while calm < CALM_LOOKS:
            waiting = await asyncio.to_thread(_unpublished, where) + await _queued(broker)
            calm = 0 if waiting else calm + 1
            if time.perf_counter() - began > PATIENCE_S:
                raise TimeoutError(f"{waiting} events still wait")
            await asyncio.sleep(LOOK_S)
    return time.perf_counter() - began


def _unpublished(where: Endpoints) -> int:
    count = sql.SQL(" + ").join(
        sql.SQL("(SELECT count(*) FROM {} WHERE published_at IS NULL)").format(
            sql.Identifier(service, "outbox")
        )
        for service in DATABASE_SERVICES
    )
    with psycopg.connect(where.superuser_url) as db:
        row = db.execute(sql.SQL("SELECT ") + count).fetchone()
    return int(row[0]) if row else 0


async def _queued(broker: aiohttp.ClientSession) -> int:
    """Messages for the services, counted now rather than in the broker's last round of statistics."""
    path = "/api/queues/kourse?disable_stats=true&enable_queue_totals=true"
    async with broker.get(path) as answer:
        answer.raise_for_status()
        return sum(
            queue.get("messages", 0)
            for queue in await answer.json()
            if queue["name"].startswith(DATABASE_SERVICES)
        )
