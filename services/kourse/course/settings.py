"""Settings of the course service."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from kourse.kit.settings import ServiceSettings


class CourseSettings(ServiceSettings, service="course"):
    """Environment variables ``KOURSE_COURSE_…``."""

    max_asset_mib: int = Field(default=512, ge=1, le=5120)
    """Largest file of a course in MiB. 512 holds an hour of video; a single S3 upload ends at 5120."""

    purge_interval: timedelta = timedelta(seconds=5)
    """Seconds between looks for deleted courses whose learners' data are to go."""

    expiry_interval: timedelta = timedelta(seconds=2)
    """Seconds between looks for assignments that closed without a hand-in."""

    collect_interval: timedelta = timedelta(hours=1)
    """Seconds between looks for files that nothing refers to."""

    collect_grace: timedelta = timedelta(days=7)
    """Age at which a file that nothing refers to goes; what is just on its way is younger."""
