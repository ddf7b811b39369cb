"""The operator as a process: everything is made, joined and stopped here.

A later leader election wraps ``serve``: what runs in it must run in one process only.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
import kopf
from aiohttp import web
from prometheus_client import REGISTRY

from kourse.contracts.resources import API_VERSION, KINDS
from kourse.kit.bus import Broker
from kourse.kit.storage import BucketAdmin
from kourse.kit.telemetry import get_logger
from kourse_operator import metrics
from kourse_operator.actuators.bindings import BrokerWires
from kourse_operator.actuators.buckets import StoreBuckets
from kourse_operator.actuators.kubernetes import KubernetesCluster, credentials, open_session
from kourse_operator.actuators.management import Management
from kourse_operator.actuators.rows import ServiceRows
from kourse_operator.census import Census
from kourse_operator.engine.engine import Engine, Pace
from kourse_operator.engine.observe import Observer
from kourse_operator.engine.reconcile import Reconciler
from kourse_operator.engine.remove import Remover
from kourse_operator.engine.store import Store
from kourse_operator.engine.wake import WakeListener
from kourse_operator.handlers import resources
from kourse_operator.health import Health, application
from kourse_operator.settings import OperatorSettings

DRAIN_S = 10.0
"""Longest time to finish what is in hand, in seconds."""
log = get_logger(__name__)


class Operator:
    """All parts of the operator, joined; ``serve`` runs them until kopf ends."""

    def __init__(self, settings: OperatorSettings) -> None:
        """Connects to nothing yet."""
        self._settings = settings
        self._rows = ServiceRows(
            settings.database_url, pool_size=settings.pool_size, batch_size=settings.batch_size
        )
        self._buckets = StoreBuckets(_bucket_admin(settings))
        self._wires = BrokerWires(
            Broker(settings.broker_url, name="kourse-operator"), _management(settings)
        )
        self._cluster = KubernetesCluster(instance=os.environ.get("HOSTNAME", ""))
        store = Store(lambda namespace: settings.tenant_namespaces.get(namespace, namespace))
        self.engine = self._make_engine(store)
        self.health = Health(
            self.engine,
            silence_limit_s=settings.watch_silence_limit.total_seconds(),
            age_limit_s=settings.queue_age_limit.total_seconds(),
        )
        self._listener = WakeListener(
            settings.database_url, self.engine.wake, self.engine.wake_unready
        )
        REGISTRY.register(Census(store))
        metrics.MAX_WORKERS.labels("kourse").set(settings.workers)

    async def serve(self) -> None:
        """Runs until SIGTERM or SIGINT, then finishes what is in hand.

        Raises:
            Exception: A part of it died; the process must end, to be started anew.
        """
        runner = await self._open_port()
        workers = [asyncio.create_task(self.engine.work()) for _ in range(self._settings.workers)]
        helpers = [asyncio.create_task(task) for task in self._helpers()]
        stop, ended = asyncio.Event(), asyncio.Event()
        watching = asyncio.create_task(self._watch(stop, ended))
        told = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                {watching, told, *workers, *helpers}, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
            log.info("stopping")
        finally:
            self.engine.close()
            await asyncio.wait(workers, timeout=DRAIN_S)
            await _cancel([told, *workers, *helpers])
            await self._close()
            await runner.cleanup()
            ended.set()
            await _settle(watching)

    def _helpers(self) -> list[Coroutine[Any, Any, None]]:
        interval_s = self._settings.observe_interval.total_seconds()
        observer = Observer(self.engine, self._rows, interval_s=interval_s)
        return [self._cluster.post_events(), self._listener.run(), observer.run()]

    async def _watch(self, stop: asyncio.Event, ended: asyncio.Event) -> None:
        """Runs kopf until ``ended``; a signal sets ``stop`` first.

        kopf counts every task begun after it as its own and would wait for it in vain, so it is
        stopped last, when there is no other any more.
        """
        ready = asyncio.Event()
        before = asyncio.all_tasks()
        tasks = await kopf.spawn_tasks(
            registry=resources.registry(self.engine, self.health.heard, self._login),
            settings=resources.settings(),
            namespaces=self._settings.namespaces,
            clusterwide=not self._settings.namespaces,
            ready_flag=ready,
            stop_flag=ended,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        started = asyncio.create_task(self._note_start(ready))
        try:
            await kopf.run_tasks(tasks, ignored=before)
        finally:
            started.cancel()

    async def _note_start(self, ready: asyncio.Event) -> None:
        await ready.wait()
        self.health.is_started = True
        log.info("started")

    async def _login(self, **_: Any) -> kopf.AiohttpSession:
        info = credentials()
        session = open_session(info, trace=_watch_trace(self.health.heard))
        return kopf.AiohttpSession(
            server=info.server,
            default_namespace=info.default_namespace,
            aiohttp_session=session,
        )

    def _make_engine(self, store: Store) -> Engine:
        settings = self._settings
        limits: dict[str, Any] = {
            "bucket_prefix": settings.bucket_prefix,
            "timeout_s": settings.backend_timeout.total_seconds(),
        }
        back_ends = (self._rows, self._buckets, self._wires, store)
        pace = Pace(
            resync_s=settings.resync_interval.total_seconds(),
            retry_first_s=settings.retry_first.total_seconds(),
            retry_longest_s=settings.retry_longest.total_seconds(),
            progress_after_s=settings.progress_after.total_seconds(),
        )
        reconciler, remover = Reconciler(*back_ends, **limits), Remover(*back_ends, **limits)
        return Engine(store, self._cluster, reconciler, remover, pace=pace)

    async def _open_port(self) -> web.AppRunner:
        runner = web.AppRunner(application(self.health, self.engine), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, self._settings.host, self._settings.port).start()
        return runner

    async def _close(self) -> None:
        for part in (self._rows, self._buckets, self._wires, self._cluster):
            await part.close()


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _settle(task: asyncio.Task[None]) -> None:
    """Waits for the end of the task, which is on its way."""
    try:
        async with asyncio.timeout(DRAIN_S):
            await asyncio.shield(task)
    except TimeoutError:
        await _cancel([task])


def _bucket_admin(settings: OperatorSettings) -> BucketAdmin:
    return BucketAdmin(
        settings.s3_endpoint,
        region=settings.s3_region,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
    )


def _management(settings: OperatorSettings) -> Management | None:
    if not settings.broker_management_url:
        return None
    vhost = unquote(urlsplit(settings.broker_url).path.removeprefix("/")) or "/"
    return Management(settings.broker_management_url, vhost=vhost)


def _watch_trace(heard: Callable[[str], None]) -> aiohttp.TraceConfig:
    """Notes when a watch of a kind begins, which is at least every few minutes."""
    kinds = {kind.plural: kind.kind for kind in KINDS}

    async def note(_: object, __: object, params: aiohttp.TraceRequestEndParams) -> None:
        parts = params.url.path.rsplit("/", 1)
        if API_VERSION in parts[0] and parts[1] in kinds and params.response.ok:
            heard(kinds[parts[1]])

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(note)
    return trace
