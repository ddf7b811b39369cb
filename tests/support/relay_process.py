"""A relay in a process of its own, which a test can lose for real.

``python -m support.relay_process <worker database> <schema> <broker>``
"""

import asyncio
import sys

from kourse.kit.bus import Broker
from kourse.kit.db import Database
from kourse.kit.outbox import Relay


async def relay(database_url, schema, broker_url):
    await Relay(Database(database_url, schema), Broker(broker_url)).run()


if __name__ == "__main__":
    asyncio.run(relay(*sys.argv[1:]))
