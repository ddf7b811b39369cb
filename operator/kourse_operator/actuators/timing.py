"""How long each step at a back end takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from kourse_operator import metrics


@contextmanager
def timed(backend: str, operation: str) -> Iterator[None]:
    """Observes the time of what is done inside, and whether it failed."""
    since = monotonic()
    outcome = "error"
    try:
        yield
        outcome = "ok"
    finally:
        spent = monotonic() - since
        metrics.BACKEND_SECONDS.labels(backend, operation, outcome).observe(spent)
