"""Nothing that a client says about itself is passed on, and nothing inner comes out."""

from uuid import UUID

import pytest

from kourse.gateway.headers import incoming, outgoing
from kourse.kit.auth import Actor


def cleaned(*headers, actor=None):
    return outgoing(
        headers, actor=actor, address="192.0.2.1", scheme="https", host="kourse.test:443"
    )


ACTOR = Actor(UUID(int=7), "demo", frozenset(), "s", frozenset())


class TestOutgoing:
    @pytest.mark.parametrize(
        "name",
        [
            "x-user-id", "x_user_id", "x-user", "x-tenant", "x-tenant-id", "x-tenantid", "x-role",
            "x-roles", "x-auth-subject", "x-authenticated", "x-internal-call", "x-original-url",
            "x-rewrite-url", "x-http-method-override", "x-real-ip", "x-forwarded-user",
            "x-forwarded-port", "x-envoy-peer", "forwarded", "baggage", "grpc-timeout", "b3",
            "x-b3-traceid", "tracestate", "true-client-ip", "connection", "te", "trailer",
            "upgrade", "keep-alive", "proxy-authorization", "transfer-encoding", "expect",
            "any_thing",
        ],
    )  # fmt: skip
    def test_drops(self, name):
        assert name not in cleaned((name.encode(), b"forged"))

    def test_drops_what_connection_names(self):
        assert "x-secret" not in cleaned((b"connection", b"close, X-Secret"), (b"x-secret", b"1"))

    def test_lets_connection_take_neither_token_nor_host(self):
        headers = cleaned((b"connection", b"authorization, host"), (b"authorization", b"Bearer a"))

        assert headers["authorization"] == "Bearer a"
        assert headers["host"] == "kourse.test:443"

    def test_writes_the_forwarding_headers_itself(self):
        headers = cleaned((b"x-forwarded-for", b"10.0.0.1"), (b"x-forwarded-proto", b"http"))

        assert headers.getall("x-forwarded-for") == ["192.0.2.1"]
        assert headers.getall("x-forwarded-proto") == ["https"]
        assert headers["x-forwarded-host"] == "kourse.test:443"

    def test_says_who_asks_once(self):
        headers = cleaned((b"x-user-id", b"admin"), (b"x-user-id", b"root"), actor=ACTOR)

        assert headers.getall("x-user-id") == [str(UUID(int=7))]
        assert headers.getall("x-tenant-id") == ["demo"]

    def test_passes_on_everything_else(self):
        headers = cleaned(
            (b"accept", b"application/json"), (b"idempotency-key", b"k"), (b"if-match", b'"1"')
        )

        assert headers["accept"] == "application/json"
        assert headers["idempotency-key"] == "k"
        assert headers["if-match"] == '"1"'


class TestIncoming:
    def test_hides_servers_and_adds_safe_headers(self):
        headers = dict(incoming({"Server": "x", "Connection": "close", "ETag": '"1"'}))

        assert b"server" not in headers
        assert b"connection" not in headers
        assert headers[b"etag"] == b'"1"'
        assert headers[b"referrer-policy"] == b"no-referrer"
