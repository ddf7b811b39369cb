"""Log lines are JSON, joined by ids, and free of secrets."""

import io
import logging

import orjson
import pytest
import structlog

from kourse.kit import telemetry
from kourse.kit.telemetry.logs import without_secrets


@pytest.fixture(autouse=True)
def no_context():
    yield
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def lines():
    root = logging.getLogger()
    before = (root.handlers, root.level)
    configured = structlog.get_config()
    stream = io.BytesIO()
    telemetry.configure_logs("course", "INFO", stream)
    yield lambda: [orjson.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers, root.level = before
    structlog.configure(**configured)


class TestLogLine:
    def test_carries_the_ids_of_request_trace_tenant_and_subject(self, lines):
        telemetry.accept_correlation("request-0001")
        telemetry.bind(tenant="demo", subject="u-1")
        with telemetry.span("work"):
            telemetry.get_logger("here").info("done", items=3)

        (line,) = lines()
        assert line["event"] == "done"
        assert line["items"] == 3
        assert line["correlation"] == "request-0001"
        assert (line["tenant"], line["subject"], line["service"]) == ("demo", "u-1", "course")
        assert len(line["trace_id"]) == 32
        assert len(line["span_id"]) == 16

    def test_of_a_library_looks_the_same(self, lines):
        logging.getLogger("lib").warning("lost %s", "100%")

        (line,) = lines()
        assert (line["source"], line["level"], line["event"]) == ("lib", "warning", "lost 100%")

    def test_below_the_level_is_not_written(self, lines):
        telemetry.get_logger("here").debug("detail")

        assert lines() == []

    def test_keeps_an_exception_on_its_one_line(self, lines):
        error = ValueError("amqp://user:hunter2@host/")
        telemetry.get_logger("here").error("failed", exc_info=error)

        (line,) = lines()
        assert "ValueError" in line["exception"]
        assert "hunter2" not in line["exception"]

    @pytest.mark.parametrize(
        "name",
        ["password", "Authorization", "refreshToken", "set-cookie", "client_secret", "code",
         "join_code", "access_token", "proxy-authorization", "private_key"],
    )  # fmt: skip
    def test_hides_what_has_the_name_of_a_secret(self, lines, name):
        telemetry.get_logger("here").info("seen", **{name: "s3cret"}, inside={name: ["s3cret"]})

        assert "s3cret" not in str(lines())

    @pytest.mark.parametrize("name", ["status_code", "problem_code", "error_code"])
    def test_shows_codes_that_are_no_secrets(self, lines, name):
        telemetry.get_logger("here").info("seen", **{name: "visible"})

        assert lines()[0][name] == "visible"


class TestWithoutSecrets:
    @pytest.mark.parametrize(
        "text",
        [
            "Bearer s3cretS3cret",
            "authorization: bearer s3cretS3cret",
            "Basic s3cretS3cret==",
            "eyJhbGciOiJF.s3cret.s3cret",
            "postgresql+psycopg://kourse:s3cret@db/kourse",
            "redis://:s3cret@cache:6379/0",
            "http://s3/x?X-Amz-Signature=s3cret&a=b",
        ],
    )
    def test_hides_them_inside_of_texts(self, text):
        assert "s3cret" not in without_secrets(f"before {text} after")

    def test_leaves_other_texts_alone(self):
        text = "http://host:80/path?a=b basic idea: bearer of news"

        assert without_secrets(text) == text


class TestAcceptCorrelation:
    @pytest.mark.parametrize("offered", ["abcd1234", "0f8fad5b-d9cb-469f-a165-70867728950e"])
    def test_keeps_what_is_well_formed(self, offered):
        assert telemetry.accept_correlation(offered) == offered

    @pytest.mark.parametrize(
        "offered",
        [None, "", "short", "a" * 65, "with space", "line\nfeed00", 'quote"quote', "-abcdefgh"],
    )
    def test_replaces_what_is_not(self, offered):
        made = telemetry.accept_correlation(offered)

        assert made != offered
        assert telemetry.correlation_id() == made
        assert len(made) == 26

    def test_gives_each_request_its_own(self):
        assert len({telemetry.new_correlation_id() for _ in range(1000)}) == 1000


class TestTraceContext:
    def test_goes_out_as_w3c_and_b3_and_comes_back(self):
        telemetry.accept_correlation("request-0001")
        with telemetry.span("outer"):
            headers = {}
            telemetry.inject(headers)
            trace = telemetry.traceparent().split("-")[1]
        with telemetry.span("inner", parent=telemetry.extract(headers)):
            assert telemetry.traceparent().split("-")[1] == trace

        assert headers["b3"].split("-")[0] == trace
        assert headers["x-request-id"] == "request-0001"

    @pytest.mark.parametrize(
        "headers",
        [
            {"b3": "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"},
            {"x-b3-traceid": "80f198ee56343ba864fe8b2a57d3eff7", "x-b3-spanid": "e457b5a2e4d86bd1"},
            {"traceparent": b"00-80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-01"},
        ],
        ids=["b3 single", "b3 multi", "w3c bytes"],
    )
    def test_is_read_in_every_form(self, headers):
        with telemetry.span("inner", parent=telemetry.extract(headers)):
            assert "80f198ee56343ba864fe8b2a57d3eff7" in telemetry.traceparent()

    @pytest.mark.parametrize("value", ["", "00-zz-zz-01", "00-0-0-00", "garbage"])
    def test_begins_anew_when_it_cannot_be_read(self, value):
        with telemetry.span("inner", parent=telemetry.extract({"traceparent": value})):
            assert telemetry.traceparent() is not None
