"""Builds profile and serves it."""

from __future__ import annotations

from kourse.kit.runtime import Service, run
from kourse.profile import api, consumers, rpc
from kourse.profile.service.purging import sweep_forever
from kourse.profile.settings import ProfileSettings


def service(settings: ProfileSettings) -> Service:
    """Profile with these settings, ready to run."""
    return Service(
        settings=settings,
        title="kourse profile",
        routers=(api.router,),
        servicers=(rpc.register,),
        handlers=consumers.handlers,
        tasks=(sweep_forever,),
    )


if __name__ == "__main__":
    run(service(ProfileSettings.load()))
