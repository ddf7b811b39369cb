"""Builds assessment and serves it."""

from __future__ import annotations

import asyncio

from kourse.assessment import api, rpc
from kourse.assessment.consumers import handlers, work
from kourse.assessment.service import collecting
from kourse.assessment.service.judge import Judge
from kourse.assessment.service.judging import Judging
from kourse.assessment.service.sweeps import sweep_forever
from kourse.assessment.settings import AssessmentSettings
from kourse.kit.runtime import Runtime, Service, run
from kourse.kit.telemetry import get_logger

log = get_logger(__name__)


async def sweep(runtime: Runtime) -> None:
    """Ends, grades and releases what has come due, until cancelled."""
    await sweep_forever(runtime.database, runtime.worker_database)


async def judge(runtime: Runtime) -> None:
    """Has programs judged, until cancelled; where there is no judge they wait."""
    found: Judge | None = runtime.extras["judge"]
    if found is None:
        log.warning("judging.nobody", reason="KOURSE_ASSESSMENT_JUDGE_URL is not set")
        await asyncio.Event().wait()
        return
    await Judging(runtime.database, runtime.worker_database, found).run()


def service(settings: AssessmentSettings) -> Service:
    """Assessment with these settings, ready to run."""

    async def set_up(runtime: Runtime) -> None:
        token = {settings.judge_token_header: settings.judge_token} if settings.judge_token else {}
        runtime.extras["judge"] = Judge(settings.judge_url, token) if settings.judge_url else None

    return Service(
        settings=settings,
        title="kourse assessment",
        routers=[api.router],
        servicers=(rpc.register,),
        handlers=handlers,
        work=work,
        tasks=(sweep, judge, collecting.sweep_forever),
        setup=set_up,
    )


if __name__ == "__main__":
    run(service(AssessmentSettings.load()))
