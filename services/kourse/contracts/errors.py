"""The error catalog: every failure that a client, a resource's author or a command can see.

One tree is rendered as an RFC 9457 problem over HTTP, a status over gRPC, and as a condition by the
operator (``Rejected`` stalls, ``Unavailable`` is retried). Services subclass these in their own
``errors.py``; codes are stable and unique.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

PROBLEM_BASE = "https://kourse.dev/problems/"


class KourseError(Exception):
    """A failure with a stable code.

    Attributes:
        code: Stable identifier, kebab-case, the last part of the problem's ``type``.
        status: HTTP status.
        title: The same short sentence for every occurrence.
        detail: What happened here and what to do about it.
        extensions: Further members of the problem document.
        retry_after_s: Seconds to wait before trying again, or None.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side."
    catalog: ClassVar[dict[str, type[KourseError]]] = {}

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.retry_after_s = retry_after_s
        self.extensions = dict(extensions or {})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" in cls.__dict__:
            if cls.code in KourseError.catalog:
                raise TypeError(f"the error code {cls.code!r} is taken")
            KourseError.catalog[cls.code] = cls

    @property
    def type(self) -> str:
        """The problem type, a URI."""
        return PROBLEM_BASE + self.code


class Rejected(KourseError):
    """The request cannot be carried out as it is; trying again unchanged is no use."""

    code = "rejected"
    status = 422
    title = "The request cannot be carried out as it is."


class Malformed(Rejected):
    """The request is not well formed."""

    code = "malformed"
    status = 400
    title = "The request is not well formed."


class Invalid(Rejected):
    """Fields of the request are missing, unknown or wrong; ``errors`` names each."""

    code = "invalid"
    status = 422
    title = "Some fields are missing, unknown or wrong."


class UnknownTimeZone(Rejected):
    """A time zone is not in the IANA database."""

    code = "unknown-time-zone"
    title = "There is no such time zone."


class InvalidDates(Rejected):
    """A date or time does not exist, or dates stand in an impossible order."""

    code = "invalid-dates"
    title = "A date or time cannot be used as it is."


class Unauthenticated(Rejected):
    """No valid access token."""

    code = "unauthenticated"
    status = 401
    title = "A valid access token is needed."


class Forbidden(Rejected):
    """The caller lacks the permission."""

    code = "forbidden"
    status = 403
    title = "You may not do this."


class NotFound(Rejected):
    """There is no such thing, or the caller may not know of it."""

    code = "not-found"
    status = 404
    title = "There is no such thing here."


class Conflict(Rejected):
    """The state of the thing does not allow it."""

    code = "conflict"
    status = 409
    title = "The current state does not allow this."


class OwnedByResource(Conflict):
    """Declared content is changed through its manifest only; ``resource`` names it."""

    code = "owned-by-resource"
    title = "This is declared by a Kubernetes resource; change it there."


class DocumentChanged(Conflict):
    """The document was changed since it was read."""

    code = "document-changed"
    status = 412
    title = "The document changed since you read it."


class OwnedByApi(Conflict):
    """The name was taken through the REST API; the adopt annotation takes it over."""

    code = "owned-by-api"
    title = "This name was made through the REST API."


class StaleGeneration(Conflict):
    """A newer generation of the resource was already applied."""

    code = "stale-generation"
    title = "A newer generation was already applied."


class DependencyNotReady(KourseError):
    """Something this needs is not known here yet; it usually arrives within seconds."""

    code = "dependency-not-ready"
    status = 409
    title = "Something this needs is not there yet."


class IdempotencyKeyMissing(Malformed):
    """This write needs an Idempotency-Key."""

    code = "idempotency-key-missing"
    title = "This request needs an Idempotency-Key header."


class IdempotencyKeyReused(Rejected):
    """The key came before with another request."""

    code = "idempotency-key-reused"
    status = 422
    title = "This Idempotency-Key was used for another request."


class IdempotencyKeyBusy(Conflict):
    """The first request with this key is still running."""

    code = "idempotency-key-busy"
    title = "The first request with this Idempotency-Key is still running."


class TooLarge(Rejected):
    """The body exceeds the limit."""

    code = "too-large"
    status = 413
    title = "The request body is too large."


class TooManyRequests(Rejected):
    """The caller's quota is used up; ``Retry-After`` says when to come again."""

    code = "quota-exceeded"
    status = 429
    title = "Too many requests."


class TooManyStreams(TooManyRequests):
    """The person listens at too many places."""

    code = "too-many-streams"
    title = "You have too many live feeds open."


class Unavailable(KourseError):
    """A back end is down; the same request may succeed later."""

    code = "unavailable"
    status = 503
    title = "A part of the platform is not available right now."


class DeadlineExceeded(Unavailable):
    """A sibling did not answer in time."""

    code = "deadline-exceeded"
    status = 504
    title = "A part of the platform did not answer in time."
