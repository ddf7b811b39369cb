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
