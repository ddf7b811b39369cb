"""The operator's own HTTP port: is it alive, is it ready, and its metrics.

``/healthz`` tells the truth about the two things that can die while the process lives: a watch that went
silent, and a queue that nobody works on.
"""

from __future__ import annotations

from time import monotonic, time

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from kourse.contracts.resources import KINDS
from kourse.kit.telemetry.metrics import build_info
from kourse_operator import metrics
from kourse_operator.engine.engine import Engine

SERVED = ("/healthz", "/livez", "/readyz", "/startupz", "/metrics", "/buildinfo")


class Health:
    """What the probes are told."""

    def __init__(self, engine: Engine, *, silence_limit_s: float, age_limit_s: float) -> None:
        """Makes the state of an operator that has not started.

        Args:
            engine: Whose queue is looked at.
            silence_limit_s: Longest time that a watch may say nothing.
            age_limit_s: Longest time that an object may wait for a worker.
        """
        self._engine = engine
        self._silence_limit_s = silence_limit_s
        self._age_limit_s = age_limit_s
        self._heard: dict[str, float] = {kind.kind: monotonic() for kind in KINDS}
        self.is_started = False

    def heard(self, kind: str) -> None:
        """The kind's watch said something, or began anew."""
        self._heard[kind] = monotonic()
        metrics.WATCH_ACTIVITY.labels(kind).set(time())

    def complaints(self) -> list[str]:
        """Why the process should be restarted; empty when it is well."""
        now = monotonic()
        said = [
            f"the watch of {kind} has been silent for {now - at:.0f} s"
            for kind, at in self._heard.items()
            if now - at > self._silence_limit_s
        ]
        if (age := self._engine.queue.oldest_s()) > self._age_limit_s:
            said.append(f"an object has waited {age:.0f} s for a worker")
        return said

    def obstacles(self) -> list[str]:
        """Why it does not serve yet; empty when it does."""
        return [] if self.is_started else ["the watches have not begun yet"]


def application(health: Health, engine: Engine) -> web.Application:
    """The HTTP application."""

    async def healthz(_: web.Request) -> web.Response:
        return _verdict(health.complaints())

    async def readyz(_: web.Request) -> web.Response:
        return _verdict(health.obstacles())

    async def expose(_: web.Request) -> web.Response:
        engine.queue.measure_work()
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def buildinfo(_: web.Request) -> web.Response:
        return web.json_response({"service": "operator", **build_info()})

    app = web.Application()
    answers = (healthz, healthz, readyz, readyz, expose, buildinfo)
    for path, answer in zip(SERVED, answers, strict=True):
        app.router.add_get(path, answer)
    return app


def _verdict(problems: list[str]) -> web.Response:
    status = 503 if problems else 200
    return web.json_response(
        {"status": "failing" if problems else "ok", "problems": problems}, status=status
    )
