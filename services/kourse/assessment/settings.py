"""Settings of assessment."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from kourse.kit.settings import ServiceSettings


class AssessmentSettings(ServiceSettings, service="assessment"):
    """What assessment can be told besides what every service is told."""

    judge_url: str = ""
    """Address of the judge of learners' programs: the runner, or a Judge0. Empty: none are judged."""
    judge_token_header: str = "X-Auth-Token"  # noqa: S105 -- the header's name
    """Header that carries the judge's token."""
    judge_token: str = Field(default="", repr=False)
    """Token that the judge asks for. Empty: none is sent."""
    collect_interval: timedelta = timedelta(hours=1)
    """Seconds between looks for files that no answer needs."""
    collect_grace: timedelta = timedelta(days=7)
    """Age at which a file that no answer needs goes; what is just on its way is younger."""
