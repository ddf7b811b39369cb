"""Settings of the dashboard service."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from kourse.kit.settings import ServiceSettings


class DashboardSettings(ServiceSettings, service="dashboard"):
    """Environment variables ``KOURSE_DASHBOARD_…``."""

    part_deadline: timedelta = timedelta(seconds=1.5)
    """Seconds to wait for each sibling; a part that is later is left out and named in ``partial``."""

    view_fresh: timedelta = timedelta(seconds=30)
    """Age from which a view that no event dropped is still given, while a new one is made behind it."""

    view_overtaken: timedelta = timedelta(milliseconds=500)
    """Age up to which a view that an event dropped is still given, while a new one is made behind it."""

    view_ttl: timedelta = timedelta(minutes=5)
    """Longest life of a cached view."""

    risk_interval: timedelta = timedelta(seconds=1)
    """Seconds between looks for learners to whom the rules of ``atRisk`` are to be applied."""

    streams: int = Field(default=5000, ge=1)
    """Most live streams of one process."""

    streams_per_person: int = Field(default=5, ge=1)
    """Most live streams of one person at one process."""

    stream_beat: timedelta = timedelta(seconds=15)
    """Seconds after which a stream says that it is alive, and asks whether its log-in still holds."""
