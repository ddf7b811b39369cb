"""Starts the dashboard service."""

from __future__ import annotations

from kourse.dashboard import api
from kourse.dashboard.consumers import handlers
from kourse.dashboard.service.judging import judge_forever
from kourse.dashboard.service.streaming import end_streams, listen
from kourse.dashboard.settings import DashboardSettings
from kourse.kit.runtime import Service, run


def service(settings: DashboardSettings) -> Service:
    """The dashboard with these settings, ready to run."""
    return Service(
        settings=settings,
        title="kourse dashboard",
        routers=(api.router,),
        handlers=handlers,
        tasks=(judge_forever, listen, end_streams),
    )


if __name__ == "__main__":
    run(service(DashboardSettings.load()))
