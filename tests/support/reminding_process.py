"""One round of reminders in a process of its own, which a test can lose for real.

``python -m support.reminding_process <database> <worker database>``
"""

import asyncio
import sys

from kourse.kit.db import Database
from kourse.notification.service.reminding import Reminding


async def remind(database_url, worker_url):
    await Reminding(
        Database(database_url, "notification"), Database(worker_url, "notification")
    ).round()


if __name__ == "__main__":
    asyncio.run(remind(*sys.argv[1:]))
