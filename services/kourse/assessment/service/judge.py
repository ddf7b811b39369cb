"""The judge of learners' programs: a Judge0, or the runner, which answers to the same part of its API.

Source: Judge0 CE 1.13.1, API documentation (submissions in batches, statuses, languages).
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from math import inf
from typing import Any, ClassVar

import aiohttp

from kourse.contracts.errors import Unavailable
from kourse.contracts.resources.pool import Code, CodeLanguage, CodeTest
from kourse.rules.code import Outcome, Trial

BATCH = 20
"""Most programs in a request."""
LANGUAGES: Mapping[CodeLanguage, int] = {
    CodeLanguage.PYTHON: 92,
    CodeLanguage.JAVA_SCRIPT: 97,
    CodeLanguage.JAVA: 91,
}
KIB_PER_MIB = 1000
"""As Judge0's limits have it: its most are 512,000 KiB."""
LOOK_S = 0.1
KEPT_CHARACTERS = 2000
WALL_FACTOR, WALL_SPARE_S, MOST_WALL_S = 3, 5, 60
_QUEUED, _RUNNING = 1, 2
_WAITING = frozenset({_QUEUED, _RUNNING})
_COMPILATION_ERROR = 6
_OUTCOMES: Mapping[int, Outcome] = {
    3: Outcome.PASSED,
    4: Outcome.WRONG_OUTPUT,
    5: Outcome.TOO_SLOW,
    _COMPILATION_ERROR: Outcome.NOT_COMPILED,
    **dict.fromkeys(range(7, 13), Outcome.CRASHED),
    _QUEUED: Outcome.TOO_SLOW,
    _RUNNING: Outcome.TOO_SLOW,
}
"""By Judge0's status; it judged nothing where it says another: an error of its own, or no such format. What
has not ended when nobody waits any longer was too slow, or waited behind another run of the same program."""


class JudgeFailed(Exception):
    """The judge could not judge a program, though it answers; the text says what it said."""


class SubmissionsLost(Exception):
    """The judge knows nothing of what it took: it began anew."""


@dataclass(frozen=True, slots=True)
class _Sent:
    test: CodeTest
    token: str


class Judge:
    """A judge at an address.

    Of several runners behind one address only that which took a program knows of it. So each program has a
    connection of its own, which leads to the same one for as long as it lasts.

    Args:
        url: Its base address.
        headers: Sent with every request.
    """

    TIMEOUT: ClassVar = aiohttp.ClientTimeout(total=15, sock_connect=2)

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._url = f"{url.rstrip('/')}/submissions/batch"
        self._headers = dict(headers or {})

    async def judge(
        self,
        code: Code,
        source: str,
        alive: Callable[[], Awaitable[None]] | None = None,
        patience_s: float = inf,
    ) -> dict[str, Trial]:
        """What the program comes to in each test, by the tests' keys.

        Args:
            code: What is asked of it.
            source: The program.
            alive: Called again and again while the judge is at it.
            patience_s: Seconds that somebody waits; a program that still runs then is too slow.

        Raises:
            Unavailable: The judge does not answer, or has too much to do.
            JudgeFailed: It answers, and cannot judge this.
            SubmissionsLost: It forgot what it took.
        """
        trials: dict[str, Trial] = {}
        end = time.monotonic() + patience_s
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(
            headers=self._headers, timeout=self.TIMEOUT, connector=connector
        ) as session:
            for at in range(0, len(code.tests), BATCH):
                tests = code.tests[at : at + BATCH]
                sent = await self._submit(session, code, source, tests)
                trials |= await self._results(session, sent, alive, end)
        return trials

    async def _submit(
        self, session: aiohttp.ClientSession, code: Code, source: str, tests: Sequence[CodeTest]
    ) -> list[_Sent]:
        body = {"submissions": [_submission(code, source, test) for test in tests]}
        answered = await self._call(session, "POST", {}, body)
        tokens = [one.get("token") for one in answered]
        if len(tokens) != len(tests) or not all(tokens):
            raise JudgeFailed(f"it refused a submission: {str(answered)[:300]}")
        return [_Sent(test, token) for test, token in zip(tests, tokens, strict=True)]

    async def _results(
        self,
        session: aiohttp.ClientSession,
        sent: Sequence[_Sent],
        alive: Callable[[], Awaitable[None]] | None,
        end: float,
    ) -> dict[str, Trial]:
        query = {"tokens": ",".join(one.token for one in sent)}
        while True:
            answered = (await self._call(session, "GET", query))["submissions"]
            if len(answered) != len(sent) or not all(answered):
                raise SubmissionsLost
            statuses = {one["status"]["id"] for one in answered}
            if not statuses & _WAITING:
                break
            if time.monotonic() > end:
                if statuses == {_QUEUED}:
                    raise Unavailable("The judge has too much to do.", retry_after_s=5)
                break
            if alive is not None:
                await alive()
            await asyncio.sleep(LOOK_S)
        return {
            one.test.key: _trial(one.test, said) for one, said in zip(sent, answered, strict=True)
        }

    async def _call(
        self,
        session: aiohttp.ClientSession,
        method: str,
        query: Mapping[str, str],
        body: object | None = None,
    ) -> Any:
        params = {**query, "base64_encoded": "true"}
        try:
            async with session.request(method, self._url, params=params, json=body) as answer:
                return await _read(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"The judge does not answer ({type(error).__name__}).") from error


async def _read(answer: aiohttp.ClientResponse) -> Any:
    if answer.status == HTTPStatus.NOT_FOUND:
        raise SubmissionsLost
    if answer.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        pause = answer.headers.get("Retry-After", "1")
        seconds = int(pause) if pause.isdecimal() else 1
        raise Unavailable("The judge has too much to do.", retry_after_s=seconds)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Unavailable(f"The judge answers {answer.status}.")
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise JudgeFailed(f"it answers {answer.status}: {(await answer.text())[:300]}")
    return await answer.json()


def _submission(code: Code, source: str, test: CodeTest) -> dict[str, Any]:
    return {
        "source_code": _encoded(source),
        "language_id": LANGUAGES[code.language],
        "stdin": _encoded(test.stdin),
        "expected_output": _encoded(test.expected),
        "cpu_time_limit": code.cpu_seconds,
        "wall_time_limit": min(MOST_WALL_S, WALL_FACTOR * code.cpu_seconds + WALL_SPARE_S),
        "memory_limit": max(code.memory_mib * KIB_PER_MIB, 16_384),
    }


def _trial(test: CodeTest, said: Mapping[str, Any]) -> Trial:
    """What is kept of the judge's answer; of a hidden test nothing by which its input could be learned."""
    status = said["status"]["id"]
    if status not in _OUTCOMES:
        raise JudgeFailed(f"{said['status'].get('description')}: {_decoded(said.get('message'))}")
    outcome = _OUTCOMES[status]
    compiled = status != _COMPILATION_ERROR
    output = "" if test.hidden else _decoded(said.get("stdout"))
    told = _decoded(said.get("stderr")) if compiled else _decoded(said.get("compile_output"))
    error = told if not (compiled and test.hidden) else ""
    return Trial(outcome, float(said.get("time") or 0), output, error)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str | None) -> str:
    """A text of the judge, cut; what PostgreSQL cannot store in it is replaced."""
    data = base64.b64decode(text or "")[: 4 * KEPT_CHARACTERS]
    return data.decode(errors="replace").replace("\x00", "\ufffd")[:KEPT_CHARACTERS]
