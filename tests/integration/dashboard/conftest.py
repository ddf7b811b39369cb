"""The dashboard on a real database and Redis, beside siblings that answer over real gRPC."""

import pytest
import redis.asyncio as redis

from support.boards import Facts, opened

CLEAR = """
TRUNCATE dashboard.course, dashboard.study, dashboard.standing, dashboard.work, dashboard.missed,
  dashboard.outbox, dashboard.event_sequence, dashboard.inbox, dashboard.inbox_cursor
"""


@pytest.fixture
def facts():
    return Facts()


@pytest.fixture
async def cache_url(servers):
    """The cache, emptied."""
    async with redis.Redis.from_url(servers.endpoints.cache_url) as client:
        await client.flushdb()
    return servers.endpoints.cache_url


@pytest.fixture
async def board(facts, scratch, servers, cache_url):
    """The running dashboard, which was told nothing yet."""
    del cache_url
    with scratch.admin() as connection:
        connection.execute(CLEAR)
    async with opened(facts, scratch, servers) as found:
        yield found
