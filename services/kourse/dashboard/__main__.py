"""Starts the dashboard service."""

from __future__ import annotations

from kourse.dashboard import api, consumers
from kourse.dashboard.settings import DashboardSettings
from kourse.kit.runtime import Service, run

if __name__ == "__main__":
    run(
        Service(
            settings=DashboardSettings.load(),
            title="kourse dashboard",
            routers=(api.router,),
            handlers=consumers.handlers,
        )
    )
