"""A session goes on by itself where waiting is all that is needed."""

import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kourse.cli.session import Problem, Session


class Gateway(BaseHTTPRequestHandler):
    """Refuses as often as its server says, and answers then."""

    def do_GET(self):
        refused = self.server.refusals > 0
        self.server.refusals -= 1
        body = b'{"code": "quota-exceeded", "detail": "Too much."}' if refused else b'{"items": []}'
        self.send_response(429 if refused else 200)
        if refused:
            self.send_header("Retry-After", self.server.retry_after)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


@pytest.fixture
def gateway():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    server.refusals, server.retry_after = 0, "1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def session(gateway):
    with closing(Session(f"http://127.0.0.1:{gateway.server_port}", "token")) as session:
        yield session


class TestQuota:
    def test_is_waited_for(self, gateway, session):
        gateway.refusals = 1
        assert session.get("/v1/anything") == {"items": []}

    def test_is_a_problem_when_it_takes_too_long(self, gateway, session):
        gateway.refusals, gateway.retry_after = 1, "3600"
        with pytest.raises(Problem, match="Too much") as raised:
            session.get("/v1/anything")
        assert raised.value.code == "quota-exceeded"
