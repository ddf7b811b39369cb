"""Builds the runner and serves it."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from kourse.contracts.errors import Unavailable
from kourse.kit.runtime import Runtime, Service, run
from kourse.runner import api
from kourse.runner.dispatch import Dispatch
from kourse.runner.engine import Engine, SandboxUnavailable
from kourse.runner.judge import Judge
from kourse.runner.languages import Language, catalogue
from kourse.runner.settings import RunnerSettings


class Unconfined(Unavailable):
    """Programs cannot be confined on this machine, so none is run."""

    code = "runner-unconfined"
    title = "Programs cannot be confined here."


def _languages(directory: Path) -> dict[int, Language]:
    """The languages, with their harnesses in a directory that programs may read."""
    directory.chmod(0o755)
    return catalogue(directory)


def service(settings: RunnerSettings) -> Service:
    """The runner with these settings; it is not ready where programs cannot be confined."""

    async def set_up(runtime: Runtime) -> None:
        engine = Engine()
        try:
            await asyncio.to_thread(engine.start)
        except SandboxUnavailable as error:
            raise Unconfined(str(error)) from error
        harness = tempfile.TemporaryDirectory(prefix="kourse-runner-")
        runtime.extras |= {
            "engine": engine,
            "harness": harness,
            "languages": await asyncio.to_thread(_languages, Path(harness.name)),
            "dispatch": Dispatch(
                Judge(engine), settings.workers, settings.queue_size, settings.keep
            ),
        }

        async def probe() -> None:
            await asyncio.to_thread(engine.start)

        runtime.health.watch("sandbox", probe)

    return Service(
        settings=settings,
        title="kourse runner",
        routers=[api.router],
        setup=set_up,
        teardown=tear_down,
        needs=frozenset(),
    )


async def tear_down(runtime: Runtime) -> None:
    """Ends what runs and the sandbox."""
    if "dispatch" not in runtime.extras:
        return
    runtime.extras["engine"].stop()
    await runtime.extras["dispatch"].close()
    runtime.extras["harness"].cleanup()


if __name__ == "__main__":
    run(service(RunnerSettings.load()))
