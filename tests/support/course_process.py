"""Course in a process of its own, beside the one of a house, which a test can lose for real."""

import asyncio
import os
import sys

import aiohttp

from support.redis_server import free_port
from support.waiting import LONG_S, until


class CourseProcess:
    """``python -m kourse.course`` with a house's settings and armed faults, until it is left."""

    def __init__(self, house, faults=""):
        settings = house.runtime.settings
        own = settings.model_dump(mode="json", include=settings.model_fields_set, exclude_none=True)
        self._port = free_port()
        own |= {"port": self._port}
        self._env = {f"KOURSE_COURSE_{name.upper()}": str(value) for name, value in own.items()}
        self._env |= {"KOURSE_FAULTS": faults}
        self._issuer = house.issuer
        self._process = None

    async def __aenter__(self):
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kourse.course", env={**os.environ, **self._env}
        )
        try:
            await until(self._serves)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_):
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def _serves(self):
        assert self._process.returncode is None, "the process ended before it served"
        try:
            return await self._ask("GET", "/readyz") == 200
        except aiohttp.ClientError:
            return False

    async def _ask(self, method, path, **headers):
        url = f"http://127.0.0.1:{self._port}{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers) as answer,
        ):
            return answer.status

    async def post(self, path, who):
        """The status of a call; an aiohttp.ClientError when the process is lost meanwhile."""
        token = self._issuer.token(sub=str(who))
        return await self._ask("POST", path, authorization=f"Bearer {token}")

    async def ended(self):
        """The exit code, once it has ended."""
        return await asyncio.wait_for(self._process.wait(), LONG_S)
