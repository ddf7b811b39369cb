"""Requests that two servers could read differently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.errors import Malformed
from kourse.gateway.strictness import allowed_host, canonical_path, check_headers


class TestCanonicalPath:
    @pytest.mark.parametrize(
        ("raw", "path"),
        [
            (b"/", "/"),
            (b"/v1/courses/statistics", "/v1/courses/statistics"),
            (b"/v1/courses/", "/v1/courses/"),
            (b"/v1/caf%C3%A9", "/v1/café"),
            (b"/.well-known/jwks.json", "/.well-known/jwks.json"),
            (b"/v1/a..b/...", "/v1/a..b/..."),
        ],
    )
    def test_is_what_every_server_reads(self, raw, path):
        assert canonical_path(raw, b"") == path

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"v1",
            b"*",
            b"http://evil.test/v1",
            b"//v1",
            b"/v1//courses",
            b"/v1/../admin",
            b"/v1/./me",
            b"/v1/..",
            b"/v1/%2e%2e/admin",
            b"/v1/%2E./admin",
            b"/v1/%2fadmin",
            b"/v1/%2Fadmin",
            b"/v1/%5cadmin",
            b"/v1\\admin",
            b"/v1/%00",
            b"/v1/%0d%0aHost:x",
            b"/v1/%1f",
            b"/v1/%7f",
            b"/v1/%252fadmin",
            b"/v1/%",
            b"/v1/%2",
            b"/v1/%zz",
            b"/v1/%c0%af",
            b"/v1/%ff",
            b"/v1/\xc3\xa9",
            b"/v1/\x00",
            b"/v1/ me",
            b"/" + b"a" * 9000,
        ],
        ids=lambda raw: repr(raw[:20]),
    )
    def test_refuses(self, raw):
        with pytest.raises(Malformed):
            canonical_path(raw, b"")

    def test_refuses_controls_in_the_query(self):
        with pytest.raises(Malformed):
            canonical_path(b"/v1", b"a=\x01")

    @given(st.binary(max_size=40))
    def test_never_leads_out_of_the_path(self, raw):
        try:
            path = canonical_path(b"/" + raw, b"")
        except Malformed:
            return
        assert path.startswith("/")
        assert not {".", ".."} & set(path.split("/"))
        assert "//" not in path
        assert "\\" not in path


def host(*values):
    return [(b"host", value) for value in values]


class TestAllowedHost:
    @pytest.mark.parametrize(
        "value", [b"kourse.test", b"KOURSE.test:443", b"demo.kourse.test", b"[::1]:80"]
    )
    def test_takes_those_that_are_named(self, value):
        allowed_host(host(value), ["kourse.test", "*.kourse.test", "[::1]"])

    @pytest.mark.parametrize(
        "values",
        [
            [],
            [b""],
            [b"evil.test"],
            [b"kourse.test", b"kourse.test"],
            [b"kourse.test@evil.test"],
            [b"kourse.test/docs?"],
            [b"kourse.test:80:80"],
            [b"kourse.test:port"],
            [b"kourse.test "],
            [b"evilkourse.test"],
            [b".kourse.test"],
            [b"kourse.test\n"],
            [b"k\xf6urse.test"],
        ],
        ids=str,
    )
    def test_refuses_all_others(self, values):
        with pytest.raises(Malformed):
            allowed_host(host(*values), ["kourse.test", "*.kourse.test"])


class TestCheckHeaders:
    @pytest.mark.parametrize(
        ("headers", "query"),
        [
            ([(b"authorization", b"Bearer a")] * 2, b""),
            ([(b"range", b"bytes=0-1,2-3")], b""),
            ([(b"x", b"a" * 16_400)], b""),
            ([(b"x", b"a" * 100)] * 200, b""),
            ([], b"a=b&access_token=x"),
        ],
        ids=["two tokens", "two ranges", "long", "many", "token in the address"],
    )
    def test_refuses(self, headers, query):
        with pytest.raises(Malformed):
            check_headers(headers, query)

    def test_accepts_what_browsers_send(self):
        check_headers([(b"authorization", b"Bearer a"), (b"range", b"bytes=0-1")], b"limit=5")
