"""Builds course and serves it."""

from __future__ import annotations

from kourse.course import api, consumers, rpc
from kourse.course.service import collecting, expiring, purging
from kourse.course.settings import CourseSettings
from kourse.kit.runtime import Service, run


def service(settings: CourseSettings) -> Service:
    """Course with these settings, ready to run."""
    return Service(
        settings=settings,
        title="kourse course",
        routers=(api.router,),
        servicers=(rpc.register,),
        handlers=consumers.handlers,
        tasks=(purging.sweep_forever, expiring.sweep_forever, collecting.sweep_forever),
    )


if __name__ == "__main__":
    run(service(CourseSettings.load()))
