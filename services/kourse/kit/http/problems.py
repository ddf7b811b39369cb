"""Every failure as an RFC 9457 problem document, without internals and without what was sent."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from kourse.contracts.errors import Invalid, KourseError, Malformed, NotFound, Rejected
from kourse.kit.outages import outage_of
from kourse.kit.telemetry import correlation_id

MEDIA_TYPE = "application/problem+json"
FORBIDDEN = 403
MAX_ERRORS = 50
MAX_NAME_CHARS = 64
_BODY = "body"
_PLAIN_MESSAGES = {
    "uuid_parsing": "Input should be a valid UUID",
    "datetime_from_date_parsing": "Input should be a valid date and time",
    "datetime_parsing": "Input should be a valid date and time",
    "date_from_datetime_parsing": "Input should be a valid date",
    "date_parsing": "Input should be a valid date",
    "url_parsing": "Input should be a valid address",
    "json_invalid": "Input should be valid JSON",
    "extra_forbidden": "There is no such field",
}
"""Messages for pydantic's errors whose own text quotes the input."""


class MethodNotAllowed(Rejected):
    """The address exists, but not for this method; ``Allow`` names those it has."""

    code = "method-not-allowed"
    status = 405
    title = "This address does not take this method."


def problem_response(error: KourseError, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that tells a client about the failure."""
    extra = {"cache-control": "no-store", **(headers or {})}
    if error.retry_after_s is not None:
        extra["retry-after"] = str(max(1, math.ceil(error.retry_after_s)))
    if error.status == 401:  # noqa: PLR2004 -- Unauthorized
        extra.setdefault("www-authenticate", "Bearer")
    body = orjson.dumps(problem_of(error), default=str)
    return Response(body, error.status, extra, media_type=MEDIA_TYPE)


def problem_of(error: KourseError) -> dict[str, Any]:
    """The problem document of a failure in the request in hand."""
    return {
        "type": error.type,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": correlation_id(),
        "code": error.code,
        **error.extensions,
    }


def failure_of(error: BaseException) -> KourseError:
    """The failure that clients see for any exception; unknown ones tell nothing."""
    if isinstance(error, KourseError):
        return error
    return outage_of(error) or KourseError("Something went wrong on our side; it was logged.")


async def on_kourse_error(request: Request, error: Exception) -> Response:
    """Handler of the error catalog; the audit trail hears of everybody whom it denies something."""
    failure = failure_of(error)
    if failure.status == FORBIDDEN:
        _note_denial(request, failure)
    return problem_response(failure)


def _note_denial(request: Request, failure: KourseError) -> None:
    """Whoever has no token acts under the name of nobody, and what they try is recorded as an act."""
    actor = getattr(request.state, "actor", None)
    if actor is None:
        return
    template = getattr(request.scope.get("route"), "path", "")
    request.app.state.runtime.denials.note(
        tenant=actor.tenant,
        actor=actor.user_id,
        target=f"{request.method} {request.url.path}",
        route=f"{request.method} {template}",
        code=failure.code,
    )


async def on_http_exception(_request: Request, error: Exception) -> Response:
    """Handler of what the framework refuses: unknown addresses, wrong methods, broken bodies."""
    if not isinstance(error, HTTPException):  # pragma: no cover -- registered for this type only
        raise error
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    return problem_response(_from_status(error.status_code), headers)


async def on_validation_error(_request: Request, error: Exception) -> Response:
    """Handler of requests whose fields are wrong; names them, never their values."""
    if not isinstance(error, RequestValidationError):  # pragma: no cover -- likewise
        raise error
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return problem_response(Malformed("The body is not valid JSON."))
    return problem_response(invalid(found))


def invalid(found: Sequence[Mapping[str, Any]]) -> Invalid:
    """The failure for pydantic's errors, at most 50 of them."""
    fields = [field_error(item["loc"], item["type"], item["msg"]) for item in found[:MAX_ERRORS]]
    named = ", ".join(dict.fromkeys(field["field"] for field in fields[:5] if field["field"]))
    detail = f"Look at: {named}." if named else "The request lacks something or has it wrong."
    return Invalid(detail, extensions={"errors": fields})


def field_error(location: Sequence[str | int], kind: str, message: str) -> dict[str, str]:
    """One wrong field: its path, a pointer to it, and what is expected there."""
    place, *path = [str(part)[:MAX_NAME_CHARS] for part in location] or [_BODY]
    if place == _BODY:
        pointer = "#" + "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)
    else:
        pointer = "/".join([place, *path])
    return {"field": ".".join(path), "pointer": pointer, "message": _message(kind, message)}


def _message(kind: str, message: str) -> str:
    if kind in _PLAIN_MESSAGES:
        return _PLAIN_MESSAGES[kind]
    if message.startswith("value is not a valid email address"):
        return "Input should be a valid e-mail address"
    return message.removeprefix("Value error, ")


def _from_status(status: int) -> KourseError:
    match status:
        case 404:
            return NotFound("There is nothing at this address.")
        case 405:
            return MethodNotAllowed("Use one of the methods that the Allow header names.")
        case 400 | 413 | 415 | 422:
            return Malformed("The body cannot be read; is its Content-Type right?")
        case _:
            return KourseError.catalog.get(_CODES.get(status, ""), KourseError)()


_CODES = {401: "unauthenticated", 403: "forbidden", 409: "conflict", 429: "quota-exceeded"}
