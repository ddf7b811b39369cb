"""Builds assessment and serves it."""

from __future__ import annotations

from kourse.assessment import api, rpc
from kourse.assessment.consumers import handlers, work
from kourse.assessment.service.sweeps import sweep_forever
from kourse.assessment.settings import AssessmentSettings
from kourse.kit.runtime import Runtime, Service, run


async def sweep(runtime: Runtime) -> None:
    """Ends, grades and releases what has come due, until cancelled."""
    await sweep_forever(runtime.database, runtime.worker_database)


def service(settings: AssessmentSettings) -> Service:
    """Assessment with these settings, ready to run."""
    return Service(
        settings=settings,
        title="kourse assessment",
        routers=[api.router],
        servicers=(rpc.register,),
        handlers=handlers,
        work=work,
        tasks=(sweep,),
    )


if __name__ == "__main__":
    run(service(AssessmentSettings.load()))
