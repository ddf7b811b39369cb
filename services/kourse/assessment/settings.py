"""Settings of assessment."""

from __future__ import annotations

from kourse.kit.settings import ServiceSettings


class AssessmentSettings(ServiceSettings, service="assessment"):
    """Assessment needs nothing beyond what every service is told."""
