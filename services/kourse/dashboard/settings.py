"""Settings of the dashboard service."""

from __future__ import annotations

from datetime import timedelta

from kourse.kit.settings import ServiceSettings


class DashboardSettings(ServiceSettings, service="dashboard"):
    """Environment variables ``KOURSE_DASHBOARD_…``."""

    part_deadline: timedelta = timedelta(seconds=1.5)
    """Seconds to wait for each sibling; a part that is later is left out and named in ``partial``."""

    view_ttl: timedelta = timedelta(minutes=5)
    """Longest life of a cached view; events drop it earlier."""
