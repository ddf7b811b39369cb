"""kopf's handlers: every event is passed to the engine, and kopf itself writes nothing.

Low-level events only: they are level-triggered, and without other handlers kopf needs no finalizer and
no annotation. So a standby may watch as the leader does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import kopf

from kourse.contracts.resources import GROUP, KINDS, VERSION, Kind
from kourse.kit.telemetry import get_logger
from kourse_operator.engine.engine import Engine
from kourse_operator.resource import Key, Resource

CHUNK = 500
"""Objects in one page of a list."""
log = get_logger(__name__)


class NullDiffBase(kopf.DiffBaseStorage):
    """Keeps nothing and compares nothing: kopf has no changes to work on itself."""

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """Nothing was kept."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        """Nothing of the object matters to kopf, so nothing of it is copied."""
        return kopf.BodyEssence({})

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Nothing is stored."""


def settings(*, silence_limit_s: float) -> kopf.OperatorSettings:
    """Kopf's settings: no writes, no scanning, no peering, short time-outs.

    Args:
        silence_limit_s: Seconds after which a silent watch is a failure; each is begun anew well before.
    """
    made = kopf.OperatorSettings()
    made.persistence.finalizer = f"{GROUP}/unused"  # kopf takes away its own where it needs none
    made.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    made.persistence.diffbase_storage = NullDiffBase()
    made.queueing.worker_limit = None
    made.queueing.idle_timeout = 0.5
    made.queueing.error_delays = [1, 2, 5, 10, 30, 60]
    made.execution.default_backoff = 5
    made.networking.request_timeout = 30
    made.networking.connect_timeout = 5
    made.watching.server_timeout = max(1, int(silence_limit_s * 2 / 3))
    made.watching.client_timeout = silence_limit_s * 5 / 6
    made.watching.inactivity_timeout = min(70.0, silence_limit_s / 2)
    made.watching.connect_timeout = 10
    made.watching.chunk_size = CHUNK
    made.posting.enabled = True
    made.posting.level = logging.WARNING
    made.posting.loggers = False
    made.scanning.disabled = True
    made.peering.standalone = True
    return made


def registry(
    engine: Engine, heard: Callable[[str], None], login: Callable[..., Any]
) -> kopf.OperatorRegistry:
    """Handlers for every kind.

    Args:
        engine: Takes the events.
        heard: Told the kind whenever its watch says something.
        login: Gives kopf its credentials.
    """
    made = kopf.OperatorRegistry()
    kopf.on.login(registry=made, errors=kopf.ErrorsMode.TEMPORARY)(login)
    for kind in KINDS:
        _register(made, kind, engine, heard)
    return made


def _register(
    made: kopf.OperatorRegistry, kind: Kind, engine: Engine, heard: Callable[[str], None]
) -> None:
    @kopf.on.event(GROUP, VERSION, kind.plural, registry=made, id="see")
    async def see(type: str | None, body: kopf.Body, **_: Any) -> None:  # noqa: A002 -- kopf's name
        heard(kind.kind)
        take_in(engine, kind.kind, type, body)


def take_in(engine: Engine, kind: str, type_: str | None, body: kopf.Body) -> None:
    """Hands one event to the engine; an object that cannot be read is looked up again later."""
    try:
        resource = Resource.of(kind, body)
        if type_ == "DELETED":
            engine.lose(resource)
        else:
            engine.see(resource)
    except Exception:
        log.exception("event_not_understood", kind=kind)
        meta = body.get("metadata", {})
        engine.look_again(Key(kind, meta.get("namespace", ""), meta.get("name", "")))
