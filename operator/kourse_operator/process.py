"""The operator as a process: everything is made, joined and stopped here.

Every replica watches, so that its picture is complete when its turn comes; only the one that holds the
Lease works.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import aiohttp
import kopf
from aiohttp import web
from prometheus_client import REGISTRY

from kourse.contracts.errors import KourseError
from kourse.contracts.resources import API_VERSION, KINDS
from kourse.kit.bus import Broker
from kourse.kit.storage import BucketAdmin
from kourse.kit.telemetry import get_logger
from kourse_operator import metrics
from kourse_operator.actuators.bindings import BrokerWires
from kourse_operator.actuators.buckets import StoreBuckets
from kourse_operator.actuators.kubernetes import KubernetesCluster, credentials, open_session
from kourse_operator.actuators.lease import KubernetesLease
from kourse_operator.actuators.management import Management
from kourse_operator.actuators.rows import ServiceRows
from kourse_operator.census import Census
from kourse_operator.engine.election import Election, Rhythm
from kourse_operator.engine.engine import Engine, Pace
from kourse_operator.engine.leadership import Leadership
from kourse_operator.engine.observe import Observer
from kourse_operator.engine.reconcile import Reconciler
from kourse_operator.engine.remove import Remover
from kourse_operator.engine.store import Store
from kourse_operator.engine.wake import WakeListener
from kourse_operator.errors import LeadershipLost
from kourse_operator.handlers import resources
from kourse_operator.health import Health, application
from kourse_operator.ports import BackEnds
from kourse_operator.settings import OperatorSettings

DRAIN_S = 10.0
"""Longest time to finish what is in hand, in seconds."""
POSTERS = 8
"""Events posted at a time: one alone falls behind a thousand objects that become ready together."""
EXIT_LOST = 3
"""Exit status after the lease was lost."""
log = get_logger(__name__)


class Operator:
    """All parts of the operator, joined; ``serve`` runs them until a signal."""

    def __init__(self, settings: OperatorSettings) -> None:
        """Connects to nothing yet."""
        self._settings = settings
        self._leadership = Leadership()
        permit = self._leadership.require
        identity = f"{socket.gethostname()}_{uuid4()}"
        self._rows = ServiceRows(
            settings.database_url,
            self._leadership,
            pool_size=settings.pool_size,
            batch_size=settings.batch_size,
        )
        self._buckets = StoreBuckets(_bucket_admin(settings), permit)
        broker = Broker(settings.broker_url, name="kourse-operator")
        self._wires = BrokerWires(broker, permit, _management(settings))
        self._cluster = KubernetesCluster(
            permit=permit, namespaces=settings.namespaces, instance=identity
        )
        self._lease = _lease(settings)
        self._election = Election(
            self._lease, self._leadership, identity=identity, rhythm=_rhythm(settings)
        )
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
        self._leadership.end()

    async def serve(self) -> None:
        """Watches, and works while this process leads, until SIGTERM or SIGINT; ends in good order.

        Raises:
            Exception: A part of it died; the process must end, to be started anew.
        """
        runner = await self._open_port()
        stop, ended = asyncio.Event(), asyncio.Event()
        watching = asyncio.create_task(self._watch(stop, ended))
        leading = asyncio.create_task(self._lead(stop))
        try:
            done, _ = await asyncio.wait({watching, leading}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _cancel([leading])
            await self._close()
            await runner.cleanup()
            ended.set()
            await _settle(watching)

    async def _lead(self, stop: asyncio.Event) -> None:
        """Works from the moment this process leads until ``stop``; what is in hand is finished then."""
        told = asyncio.create_task(stop.wait())
        tasks = [told, asyncio.create_task(self._election.win())]
        try:
            await _first(tasks)
            if stop.is_set():
                return
            working = asyncio.create_task(self._work())
            tasks += [working, *(asyncio.create_task(task) for task in self._helpers())]
            await _first([told, *tasks[2:]])
            log.info("stopping")
            self.engine.close()
            done, _ = await asyncio.wait([working], timeout=DRAIN_S)
            if done:
                await self._election.release()
        finally:
            await _cancel(tasks)

    async def _work(self) -> None:
        """Works until the engine is closed."""
        while not await self._begin():  # noqa: ASYNC110 -- it is the attempt that changes it
            await asyncio.sleep(self._settings.lease_retry.total_seconds())
        await asyncio.gather(*(self.engine.work() for _ in range(self._settings.workers)))

    async def _begin(self) -> bool:
        try:
            await self.engine.lead()
        except KourseError as error:
            log.warning("cannot_begin", detail=error.detail)
            return False
        return True

    async def _hold(self) -> None:
        """Keeps the lease; without it the process ends at once, as its threads may be writing yet."""
        try:
            await self._election.hold()
        except LeadershipLost as error:
            log.error("leadership_lost", detail=str(error))  # noqa: TRY400 -- nothing failed here
            sys.stdout.flush()
            os._exit(EXIT_LOST)

    def _helpers(self) -> list[Coroutine[Any, Any, None]]:
        interval_s = self._settings.observe_interval.total_seconds()
        observer = Observer(self.engine, self._rows, interval_s=interval_s)
        return [
            self._hold(),
            *(self._cluster.post_events() for _ in range(POSTERS)),
            self._listener.run(),
            observer.run(),
        ]

    async def _watch(self, stop: asyncio.Event, ended: asyncio.Event) -> None:
        """Runs kopf until ``ended``; a signal sets ``stop`` first.

        kopf counts every task begun after it as its own and would wait for it in vain, so it is
        stopped last, when there is no other any more.
        """
        ready = asyncio.Event()
        before = asyncio.all_tasks()
        tasks = await kopf.spawn_tasks(
            registry=resources.registry(self.engine, self.health.heard, self._login),
            settings=resources.settings(
                silence_limit_s=self._settings.watch_silence_limit.total_seconds()
            ),
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
        back_ends = BackEnds(
            *(self._rows, self._buckets, self._wires),
            bucket_prefix=settings.bucket_prefix,
            timeout_s=settings.backend_timeout.total_seconds(),
        )
        pace = Pace(
            resync_s=settings.resync_interval.total_seconds(),
            retry_first_s=settings.retry_first.total_seconds(),
            retry_longest_s=settings.retry_longest.total_seconds(),
            progress_after_s=settings.progress_after.total_seconds(),
        )
        reconciler, remover = Reconciler(back_ends, store), Remover(back_ends, store)
        return Engine(store, self._cluster, reconciler, remover, pace=pace)

    async def _open_port(self) -> web.AppRunner:
        runner = web.AppRunner(application(self.health, self.engine), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, self._settings.host, self._settings.port).start()
        return runner

    async def _close(self) -> None:
        for part in (self._rows, self._buckets, self._wires, self._cluster, self._lease):
            await part.close()


async def _first(tasks: list[asyncio.Task[Any]]) -> None:
    """Returns when one of the tasks has ended; raises what it raised."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


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


def _lease(settings: OperatorSettings) -> KubernetesLease:
    """The Lease, over a session of its own: renewals never wait for other requests."""
    namespace = settings.lease_namespace or credentials().default_namespace or "default"
    cluster = KubernetesCluster(permit=lambda: None)
    return KubernetesLease(cluster, namespace, settings.lease_name)


def _rhythm(settings: OperatorSettings) -> Rhythm:
    return Rhythm(
        settings.lease_duration.total_seconds(),
        settings.lease_renew_deadline.total_seconds(),
        settings.lease_retry.total_seconds(),
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
