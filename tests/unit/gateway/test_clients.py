"""A client's address comes from the connection, unless a trusted proxy says otherwise."""

import pytest

from kourse.gateway.clients import Clients, limit_key


def forwarded(*values):
    return [(b"x-forwarded-for", value) for value in values]


class TestAddress:
    def test_is_the_peer_whatever_headers_say(self):
        assert Clients().address("192.0.2.1", forwarded(b"10.0.0.1")) == "192.0.2.1"

    @pytest.mark.parametrize(
        ("values", "address"),
        [
            ([b"203.0.113.9"], "203.0.113.9"),
            ([b"1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            ([b"1.1.1.1", b"203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            ([b"10.0.0.2"], "10.0.0.1"),
            ([b"nonsense"], "10.0.0.1"),
            ([], "10.0.0.1"),
        ],
    )
    def test_is_the_last_that_no_trusted_proxy_wrote(self, values, address):
        assert Clients(["10.0.0.0/8"]).address("10.0.0.1", forwarded(*values)) == address

    def test_is_known_to_be_unknown(self):
        assert Clients().address(None, []) == "unknown"


class TestScheme:
    def test_is_believed_of_trusted_proxies_only(self):
        said = [(b"x-forwarded-proto", b"https")]

        assert Clients(["10.0.0.0/8"]).scheme("10.0.0.1", "http", said) == "https"
        assert Clients().scheme("10.0.0.1", "http", said) == "http"


class TestLimitKey:
    def test_is_an_ipv4_address_or_an_ipv6_line(self):
        assert limit_key("192.0.2.1") == "192.0.2.1"
        assert limit_key("2001:db8::1") == limit_key("2001:db8::2") == "2001:db8::/64"
        assert limit_key("unknown") == "unknown"
