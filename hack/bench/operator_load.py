"""What both operators of the benchmark are given to do, and whether it is done."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterable
from time import monotonic
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from hack.stack.pki import Pki
from kourse.contracts.resources import API_VERSION, GROUP

PARALLEL = 32
"""Requests under way at a time, as from an impatient ``kubectl apply`` of a folder."""
SPEC_BYTES = 4096
LESSONS = 4
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
_JSON = {"Content-Type": "application/json"}
_MERGE = {"Content-Type": "application/merge-patch+json"}
_WRITES = re.compile(
    r'^apiserver_request_total\{.*group="'
    + re.escape(GROUP)
    + r'".*verb="(?:PATCH|PUT)".*\} (\S+)$'
)
_EVENTS = re.compile(
    r'^apiserver_request_total\{.*resource="events".*verb="(?:POST|PATCH)".*\} (\S+)$'
)


def course(title: str = "Measured") -> dict[str, Any]:
    """The spec of a course of 4 KiB: one chapter, four lessons."""
    lessons = [{"key": f"lesson-{n}", "title": f"Lesson {n}", "text": ""} for n in range(LESSONS)]
    spec = {
        "title": title,
        "summary": "A course that is made to be measured.",
        "chapters": [{"key": "chapter", "title": "Chapter", "lessons": lessons}],
    }
    room = (SPEC_BYTES - len(orjson.dumps(spec))) // LESSONS
    words = "Numbers tell little without what they are compared with. "
    for lesson in lessons:
        lesson["text"] = (words * (room // len(words) + 1))[:room]
    return spec


class Api:
    """The API server, as its administrator."""

    def __init__(self, server: str, pki: Pki) -> None:
        """Connects to nothing yet."""
        self._server = server
        context = ssl.create_default_context(cafile=str(pki.authority))
        context.load_cert_chain(pki.certificate("admin"), pki.key("admin"))
        self._context = context

    async def __aenter__(self) -> Self:
        """Opens connections."""
        connector = aiohttp.TCPConnector(limit=PARALLEL, ssl=self._context)
        self._session = aiohttp.ClientSession(connector=connector)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes them."""
        await self._session.close()

    async def make_namespace(self, name: str) -> None:
        """The namespace is there."""
        body = {"metadata": {"name": name}}
        await self._send("POST", "/api/v1/namespaces", body, _JSON)

    async def create(self, namespace: str, names: Iterable[str]) -> None:
        """Courses of these names are declared, many at a time."""
        spec = course()

        async def one(name: str) -> None:
            body = {
                "apiVersion": API_VERSION,
                "kind": "Course",
                "metadata": {"name": name},
                "spec": spec,
            }
            await self._send("POST", _courses(namespace), body, _JSON)

        await _many(map(one, names))

    async def retitle(self, namespace: str, names: Iterable[str]) -> None:
        """Every one of these courses gets a new title."""

        async def one(name: str) -> None:
            patch = {"spec": {"title": "Measured again"}}
            await self._send("PATCH", f"{_courses(namespace)}/{name}", patch, _MERGE)

        await _many(map(one, names))

    async def count_ready(self, namespace: str) -> int:
        """How many courses show ``True`` in the column Ready, read as ``kubectl get`` reads them."""
        url = f"{self._server}{_courses(namespace)}?includeObject=None"
        async with self._session.get(url, headers={"Accept": _TABLE}) as answer:
            table = orjson.loads(await answer.read())
        column = next(
            number
            for number, made in enumerate(table["columnDefinitions"])
            if made["name"] == "Ready"
        )
        return sum(row["cells"][column] == "True" for row in table["rows"])

    async def list(self, namespace: str) -> list[dict[str, Any]]:
        """Every course as it stands."""
        async with self._session.get(f"{self._server}{_courses(namespace)}") as answer:
            found: list[dict[str, Any]] = orjson.loads(await answer.read())["items"]
        return found

    async def writes(self) -> tuple[int, int]:
        """Updates of our kinds, and Events posted, that the API server has counted so far."""
        async with self._session.get(f"{self._server}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return _sum(_WRITES, lines), _sum(_EVENTS, lines)

    async def until_ready(self, namespace: str, count: int, *, limit_s: float) -> None:
        """Returns when that many courses are ready.

        Raises:
            TimeoutError: They are not within ``limit_s`` seconds.
        """
        pause_s = 0.1 if count <= 1000 else 0.5  # noqa: PLR2004 -- looking costs the API server too
        ready, deadline = 0, monotonic() + limit_s
        while ready < count:
            if monotonic() > deadline:
                raise TimeoutError(f"{ready} of {count} courses are ready after {limit_s:.0f} s")
            await asyncio.sleep(pause_s)
            ready = await self.count_ready(namespace)

    async def _send(
        self, method: str, path: str, body: dict[str, Any], headers: dict[str, str]
    ) -> None:
        async with self._session.request(
            method, self._server + path, data=orjson.dumps(body), headers=headers
        ) as answer:
            if not answer.ok:
                raise RuntimeError(f"{method} {path}: {await answer.text()}")
            await answer.read()


def _courses(namespace: str) -> str:
    return f"/apis/{API_VERSION}/namespaces/{namespace}/courses"


def _sum(pattern: re.Pattern[str], lines: Iterable[str]) -> int:
    return int(sum(float(found[1]) for line in lines if (found := pattern.match(line))))


async def _many(jobs: Iterable[Any]) -> None:
    """Runs the coroutines, ``PARALLEL`` at a time."""
    waiting = iter(jobs)

    async def worker() -> None:
        for job in waiting:
            await job

    async with asyncio.TaskGroup() as group:
        for _ in range(PARALLEL):
            group.create_task(worker())
