"""Entry point: ``python -m kourse_operator``."""

from __future__ import annotations

import asyncio
import logging

import uvloop

from kourse.kit.telemetry import configure_logs, configure_tracing, shutdown_tracing
from kourse.kit.telemetry.loop_lag import watch_loop
from kourse.kit.telemetry.metrics import announce_build
from kourse_operator.process import Operator
from kourse_operator.settings import OperatorSettings


def main() -> None:
    """Runs the operator until it is told to stop."""
    settings = OperatorSettings.load()
    configure_logs("operator", settings.log_level)
    logging.getLogger("kopf.objects").setLevel(
        logging.WARNING
    )  # a line for each event it passes on
    configure_tracing(
        "operator",
        otlp_endpoint=settings.otlp_endpoint,
        zipkin_endpoint=settings.zipkin_endpoint,
    )
    announce_build("operator")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings))
    finally:
        shutdown_tracing()


async def _run(settings: OperatorSettings) -> None:
    watching = asyncio.create_task(watch_loop("operator"))
    try:
        await Operator(settings).serve()
    finally:
        watching.cancel()


if __name__ == "__main__":
    main()
