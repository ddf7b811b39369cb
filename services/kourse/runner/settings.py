"""Settings of the runner."""

from __future__ import annotations

from pydantic import Field

from kourse.kit.settings import ServiceSettings


class RunnerSettings(ServiceSettings, service="runner"):
    """What the runner can be told; it takes no credential."""

    workers: int = Field(default=2, ge=1, le=64)
    """Programs that run at a time."""
    queue_size: int = Field(default=100, ge=1, le=10_000)
    """Submissions that wait or run; with more, new ones get 503 and `Retry-After`."""
    keep: int = Field(default=1000, ge=1, le=100_000)
    """Finished submissions that can still be asked for; the oldest are forgotten first."""
