"""A replica of a consumer in a process of its own, which a test can lose, pause or stop for real.

``python -m support.consumer_process <database> <worker database> <broker> [<redis>]``

Its handler fails for good at event number 666.
"""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from redis.asyncio import Redis

from kourse.kit import bus
from kourse.kit.db import Database
from kourse.kit.inbox import Consumer
from support.events import PACE, Effects, Failing

TESTS = Path(__file__).parents[1]


async def consume(database_url, worker_url, broker_url, redis_url=None):
    """Reads its share until SIGTERM."""
    bus.HEARTBEAT_S = 2  # so that the broker soon gives up a replica that is paused
    effects = Effects()
    effects.failing = Failing(666)
    consumer = Consumer(
        Database(database_url, "course"),
        bus.Broker(broker_url),
        effects.handlers,
        cache=Redis.from_url(redis_url) if redis_url else None,
        worker=Database(worker_url, "course"),
        pace=PACE,
    )
    stopping = []
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGTERM, lambda: stopping.append(asyncio.ensure_future(consumer.stop()))
    )
    await consumer.run()


class Replica:
    """Such a process."""

    def __init__(self, *arguments, faults=""):
        self._arguments = arguments
        self._faults = faults
        self._process = None

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.consumer_process", *self._arguments],
            cwd=TESTS,
            env={**os.environ, "KOURSE_FAULTS": self._faults},
        )
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def send(self, number):
        """A signal."""
        self._process.send_signal(number)

    def ended(self):
        """Its return code; None while it runs."""
        return self._process.poll()

    def is_paused(self):
        """Whether it stands still."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"


if __name__ == "__main__":
    asyncio.run(consume(*sys.argv[1:]))
