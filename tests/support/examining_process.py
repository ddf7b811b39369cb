"""Ends or grades one attempt in a process of its own, which a test can lose for real.

``python -m support.examining_process submit|grade <database> <tenant> <learner> <attempt>``
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from kourse.assessment.service import attempts, grading
from kourse.kit.db import Database

TESTS = Path(__file__).parents[1]


async def act(deed, database_url, tenant, learner, attempt):
    """Does it once, in one transaction."""
    database = Database(database_url, "assessment", pool_size=1)
    async with database.transaction(tenant) as tx:
        if deed == "submit":
            await attempts.submit(tx, UUID(learner), UUID(attempt))
        else:
            await grading.grade(tx, UUID(attempt))
    await database.close()


def examine(*arguments, faults=""):
    """The return code of such a process."""
    command = [sys.executable, "-m", "support.examining_process", *map(str, arguments)]
    env = {**os.environ, "KOURSE_FAULTS": faults}
    return subprocess.run(command, cwd=TESTS, env=env, check=False).returncode


if __name__ == "__main__":
    asyncio.run(act(*sys.argv[1:]))
