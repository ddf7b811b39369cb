"""Settings of the profile service."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from kourse.kit.settings import ServiceSettings


class ProfileSettings(ServiceSettings, service="profile"):
    """Environment variables ``KOURSE_PROFILE_…``."""

    public_url: str = "http://127.0.0.1"
    """Address of the gateway, for links to calendars; never taken from a request."""

    guesses: int = Field(default=10, ge=1, le=1000)
    """Wrong join codes that one person may type in a window; see the arithmetic in `domain/codes.py`."""

    guess_window: timedelta = timedelta(minutes=15)
    """Seconds of that window."""

    purge_interval: timedelta = timedelta(seconds=5)
    """Seconds between looks for deleted cohorts whose memberships are to go."""
