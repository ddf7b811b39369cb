"""The error catalog as gRPC statuses, and back again on the other side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc

from kourse.contracts.errors import (
    DeadlineExceeded,
    DependencyNotReady,
    Forbidden,
    KourseError,
    NotFound,
    Rejected,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)

CODE_KEY = "kourse-code"
"""Trailing metadata that carries the catalog's code."""
RETRY_KEY = "kourse-retry-after"
"""Trailing metadata with the seconds to wait, where a failure knows them."""

_STATUSES: tuple[tuple[type[KourseError], grpc.StatusCode], ...] = (
    (DeadlineExceeded, grpc.StatusCode.DEADLINE_EXCEEDED),
    (Unavailable, grpc.StatusCode.UNAVAILABLE),
    (DependencyNotReady, grpc.StatusCode.FAILED_PRECONDITION),
    (Unauthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (Forbidden, grpc.StatusCode.PERMISSION_DENIED),
    (NotFound, grpc.StatusCode.NOT_FOUND),
    (TooManyRequests, grpc.StatusCode.RESOURCE_EXHAUSTED),
)
_BY_HTTP = {409: grpc.StatusCode.FAILED_PRECONDITION, 404: grpc.StatusCode.NOT_FOUND}
_ERRORS: dict[grpc.StatusCode, type[KourseError]] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Unavailable,
    grpc.StatusCode.CANCELLED: Unavailable,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.PERMISSION_DENIED: Forbidden,
}
_OURS = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED})
"""Refusals of this service by a sibling: never the fault of the person who is served."""


def status_of(error: KourseError) -> grpc.StatusCode:
    """The gRPC status that says most nearly the same."""
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return status
    if error.status in _BY_HTTP:
        return _BY_HTTP[error.status]
    is_rejected = isinstance(error, Rejected)
    return grpc.StatusCode.INVALID_ARGUMENT if is_rejected else grpc.StatusCode.INTERNAL


def trailers_of(error: KourseError) -> tuple[tuple[str, str], ...]:
    """Trailing metadata from which ``error_of`` makes the same failure."""
    trailers = [(CODE_KEY, error.code)]
    if error.retry_after_s is not None:
        trailers.append((RETRY_KEY, f"{error.retry_after_s:g}"))
    return tuple(trailers)


def error_of(error: grpc.aio.AioRpcError) -> KourseError:
    """The failure to raise for a failed call.

    The sibling's own code wins, so its errors pass through services; trouble on the way is
    ``Unavailable`` or ``DeadlineExceeded``, and so is being refused as a caller.
    """
    trailers = dict(_pairs(error.trailing_metadata()))
    known = KourseError.catalog.get(trailers.get(CODE_KEY, ""))
    retry_after_s = _seconds(trailers.get(RETRY_KEY))
    if known is not None and error.code() not in _OURS:
        return known(error.details() or "", retry_after_s=retry_after_s)
    kind = Unavailable if error.code() in _OURS else _ERRORS.get(error.code(), KourseError)
    return kind(retry_after_s=1.0 if issubclass(kind, Unavailable) else None)


def _pairs(metadata: Any) -> Iterable[tuple[str, str]]:
    return ((key, value) for key, value in metadata or () if isinstance(value, str))


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
