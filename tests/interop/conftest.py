"""The Go consumer as another team would run it: own broker user, own Redis, nothing but the catalog."""

import contextlib
import json
import os
import subprocess
import sys

import pytest
import redis

from hack.install.tools import INTEROP, build_tools
from kourse.kit.bus import Broker
from support.events import running
from support.feeds import declare_feed
from support.proxy import proxied
from support.redis_server import RedisServer
from support.siblings import Sibling
from support.waiting import LONG_S, until

SERVICE = "interop"
RIGHTS = {
    "configure": r"^interop\.",
    "write": r"^interop\.",
    "read": r"^(interop\..*|kourse\.events|kourse\.cohort\.demo\.autumn)$",
}
"""What docs/events.md tells an administrator to allow."""


class GoService:
    """The program, which a test can lose and start again."""

    def __init__(self, program, environment, log, store):
        self._program = program
        self._environment = {**os.environ, **environment}
        self._log = log
        self._store = store
        self._process = None

    def _spawn(self, settings):
        self._process = subprocess.Popen(
            [self._program],
            env={**self._environment, **settings},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    async def start(self, **settings):
        """Returns when its queues are there."""
        self._spawn(settings)
        await until(lambda: all(self._store.exists(f"{SERVICE}:{s}:since:") for s in
                                ("service", "cohort")))  # fmt: skip

    def kill(self):
        """It is gone between any two instructions."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        """It ends as it would in a roll-out."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(LONG_S)

    def handled(self, source="service"):
        """What took effect, in order."""
        lines = self._store.lrange(f"{SERVICE}:{source}:handled:", 0, -1)
        return [json.loads(line) for line in lines]

    def texts(self, source="service"):
        return [line["text"] for line in self.handled(source)]


@pytest.fixture(scope="session")
def program():
    """The consumer, built unless it was."""
    build_tools((INTEROP,))
    return INTEROP.path


@pytest.fixture
def host(servers):
    """A virtual host of the test's own."""
    with servers.scratch_host() as url:
        yield url


@pytest.fixture
async def broker(host):
    opened = Broker(host, name="interop test")
    yield opened
    await opened.close()


@pytest.fixture
async def feed(broker):
    """The exchange of the course ``statistics`` and the feed of its cohort ``autumn``, as declared."""
    await declare_feed(broker)


@pytest.fixture
async def redis_proxy(tmp_path):
    """A Redis behind a proxy: the proxy, the address through it, and a client past it."""
    server = RedisServer(tmp_path)
    server.start()
    with contextlib.closing(redis.Redis.from_url(server.url, decode_responses=True)) as client:
        async with proxied(server.url) as (proxy, url):
            yield proxy, url, client
    server.stop()


@pytest.fixture
def go_service(program, servers, host, feed, redis_proxy, tmp_path):
    """The consumer, not started yet; its output is shown when a test fails."""
    _, redis_url, client = redis_proxy
    log = tmp_path / "interop.log"
    with servers.broker_user(host, **RIGHTS) as url, log.open("w") as output:
        environment = {
            "AMQP_URL": url,
            "REDIS_URL": redis_url,
            "SERVICE": SERVICE,
            "TENANT": "demo",
            "COHORT": "autumn",
            "CLAIM": "1s",
        }
        service = GoService(program, environment, output, client)
        try:
            yield service
        finally:
            service.stop()
    sys.stdout.write(log.read_text())


@pytest.fixture
async def producers(scratch, broker):
    """Identity, course and assessment with their relays, which do not run yet."""
    made = {name: Sibling(scratch, broker, name) for name in ("identity", "course", "assessment")}
    yield made
    for sibling in made.values():
        await sibling.close()


@pytest.fixture
async def relayed(producers):
    """The producers, with their relays running."""
    async with running(*(sibling.relay for sibling in producers.values())):
        yield producers
