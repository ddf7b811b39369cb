"""Failures as documents, and outages told from mistakes."""

import aiohttp
import psycopg
import pytest
import redis.exceptions
from sqlalchemy import exc

from kourse.contracts.errors import Conflict, KourseError, TooManyRequests, Unavailable
from kourse.kit.http.problems import failure_of, field_error, invalid, problem_response
from kourse.kit.outages import outage_of


class TestProblemResponse:
    def test_rounds_the_wait_up(self):
        response = problem_response(TooManyRequests(retry_after_s=0.2))

        assert response.headers["retry-after"] == "1"

    def test_keeps_given_headers(self):
        response = problem_response(Conflict(), {"allow": "GET"})

        assert (response.headers["allow"], response.headers["cache-control"]) == ("GET", "no-store")


class TestFieldError:
    @pytest.mark.parametrize(
        ("location", "field", "pointer"),
        [
            (("body", "a", 0, "b"), "a.0.b", "#/a/0/b"),
            (("body", "a/b", "c~d"), "a/b.c~d", "#/a~1b/c~0d"),
            (("body",), "", "#"),
            ((), "", "#"),
            (("query", "limit"), "limit", "query/limit"),
            (("body", "x" * 500), "x" * 64, "#/" + "x" * 64),
        ],
    )
    def test_points_to_the_field(self, location, field, pointer):
        error = field_error(location, "missing", "Field required")

        assert (error["field"], error["pointer"]) == (field, pointer)

    @pytest.mark.parametrize(
        ("kind", "message", "shown"),
        [
            ("uuid_parsing", "… found `s3cret` at 1", "Input should be a valid UUID"),
            ("extra_forbidden", "Extra inputs are not permitted", "There is no such field"),
            ("value_error", "Value error, must be odd", "must be odd"),
            (
                "value_error",
                "value is not a valid email address: s3cret",
                "Input should be a valid e-mail address",
            ),
        ],
    )
    def test_never_quotes_the_input(self, kind, message, shown):
        assert field_error(("body", "a"), kind, message)["message"] == shown


class TestInvalid:
    def test_lists_at_most_50_fields(self):
        found = [{"loc": ("body", f"f{n}"), "type": "missing", "msg": "x"} for n in range(99)]

        failure = invalid(found)

        assert len(failure.extensions["errors"]) == 50
        assert failure.detail == "Look at: f0, f1, f2, f3, f4."


OUTAGES = [
    ConnectionRefusedError(),
    ConnectionResetError(),
    TimeoutError(),
    TimeoutError(),
    redis.exceptions.ConnectionError(),
    redis.exceptions.TimeoutError(),
    redis.exceptions.BusyLoadingError(),
    psycopg.OperationalError(),
    exc.OperationalError("select 1", {}, psycopg.OperationalError()),
    exc.TimeoutError(),
    aiohttp.ClientConnectionError(),
    Unavailable(),
]
MISTAKES = [
    ValueError(),
    KeyError("s3cret"),
    FileNotFoundError(),
    redis.exceptions.ResponseError(),
    psycopg.ProgrammingError(),
    exc.ProgrammingError("select", {}, psycopg.ProgrammingError()),
    exc.IntegrityError("insert", {}, psycopg.IntegrityError()),
]


class TestOutageOf:
    @pytest.mark.parametrize("error", OUTAGES, ids=lambda error: type(error).__qualname__)
    def test_invites_to_come_again(self, error):
        assert isinstance(outage_of(error), Unavailable)

    @pytest.mark.parametrize("error", MISTAKES, ids=lambda error: type(error).__qualname__)
    def test_leaves_mistakes_alone(self, error):
        assert outage_of(error) is None
        assert type(failure_of(error)) is KourseError
        assert "s3cret" not in failure_of(error).detail
