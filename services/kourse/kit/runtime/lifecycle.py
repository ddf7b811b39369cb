"""``run``: a service as an operating system process."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys

import uvloop

from kourse.kit.runtime.process import Process
from kourse.kit.runtime.service import Service
from kourse.kit.settings import ServiceSettings
from kourse.kit.telemetry import configure_logs, configure_tracing, get_logger, shutdown_tracing
from kourse.kit.telemetry.loop_lag import watch_loop
from kourse.kit.telemetry.metrics import announce_build

log = get_logger(__name__)


def run(service: Service) -> None:
    """Serve until SIGTERM or SIGINT, then end gracefully; the process exits afterwards.

    Exits with 0 after a stop, with 1 when the start failed for good.
    """
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    settings = service.settings
    configure_telemetry(settings)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(serve(service))
    finally:
        shutdown_tracing()
    sys.exit(code)


def configure_telemetry(settings: ServiceSettings) -> None:
    """Logs, traces and build info as the settings say."""
    configure_logs(settings.service, settings.log_level)
    configure_tracing(
        settings.service,
        otlp_endpoint=settings.otlp_endpoint,
        zipkin_endpoint=settings.zipkin_endpoint,
    )
    announce_build(settings.service)


async def serve(service: Service) -> int:
    """Run the service until a signal arrives; returns the exit status."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    process = Process(service)
    try:
        await process.start()
    except OSError as error:
        settings = service.settings
        log.error("cannot listen", host=settings.host, port=settings.port, reason=error.strerror)  # noqa: TRY400
        await process.runtime.close()
        return 1
    watching = asyncio.create_task(watch_loop(service.settings.service))
    failed = await _until(stopping, process)
    await process.stop()
    watching.cancel()
    return 1 if failed else 0


async def _until(stopping: asyncio.Event, process: Process) -> bool:
    """Wait for the order to stop; True when the start failed for good instead."""
    ordered = asyncio.create_task(stopping.wait())
    started = asyncio.create_task(process.started())
    await asyncio.wait({ordered, started}, return_when=asyncio.FIRST_COMPLETED)
    if started.done() and started.exception() is not None:
        ordered.cancel()
        return True
    gc.collect()
    gc.freeze()
    await ordered
    started.cancel()
    return False
