"""A session goes on by itself where waiting is all that is needed."""

import base64
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from kourse.cli.session import Problem, Session, open_session


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

    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.shown.append((self.path, self.headers.get("Authorization"), parse_qs(form)))
        body = b'{"access_token": "fresh", "token_type": "Bearer", "expires_in": 300}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


@pytest.fixture
def gateway():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    server.refusals, server.retry_after, server.shown = 0, "1", []
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


class TestProgram:
    def test_shows_a_personal_token_for_an_access_token(self, gateway):
        with closing(open_session(address_of(gateway), "kourse_pat_abc")) as session:
            assert session.token == "fresh"

        ((path, login, form),) = gateway.shown
        assert (path, login) == ("/v1/oauth/token", None)
        assert form == {
            "grant_type": ["urn:ietf:params:oauth:grant-type:token-exchange"],
            "subject_token": ["kourse_pat_abc"],
        }

    def test_logs_a_service_account_in_by_basic(self, gateway):
        with closing(open_session(address_of(gateway), "0197-id:kourse_sas_abc")) as session:
            assert session.token == "fresh"

        ((_, login, form),) = gateway.shown
        assert login == "Basic " + base64.b64encode(b"0197-id:kourse_sas_abc").decode()
        assert form == {"grant_type": ["client_credentials"]}

    def test_uses_an_access_token_as_it_is(self, gateway):
        with closing(open_session(address_of(gateway), "eyJ.kourse_pat_.x")) as session:
            assert session.token == "eyJ.kourse_pat_.x"

        assert gateway.shown == []


def address_of(gateway):
    return f"http://127.0.0.1:{gateway.server_port}/"
