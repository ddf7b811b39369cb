"""Signatures, addresses and waits of webhooks."""

import base64
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.notification.domain import webhooks as rules

SECRET = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
"""The example of the specification's own libraries."""


class TestSignatures:
    def test_are_those_of_the_specification(self):
        message = "msg_p5jXN8AQM9LWM0D4loKWxJek"

        assert rules.signatures([SECRET], message, 1614265330, BODY) == SIGNATURE

    def test_are_one_for_each_secret_in_use(self):
        one, other = rules.signatures([b"new", b"old"], "id", 1, BODY).split(" ")

        assert one == rules.signatures([b"new"], "id", 1, BODY)
        assert other == rules.signatures([b"old"], "id", 1, BODY)

    @pytest.mark.parametrize("changed", [("id2", 1, BODY), ("id", 2, BODY), ("id", 1, BODY + b" ")])
    def test_bind_id_time_and_body(self, changed):
        assert rules.signatures([SECRET], *changed) != rules.signatures([SECRET], "id", 1, BODY)


class TestSecret:
    def test_is_shown_as_the_specification_says(self):
        assert rules.shown(SECRET) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    def test_is_never_the_same(self):
        assert len({rules.new_secret() for _ in range(100)}) == 100


class TestIsAllowed:
    @pytest.mark.parametrize(
        "address",
        ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"],
    )
    def test_on_the_public_internet(self, address):
        assert rules.is_allowed(ip_address(address))

    @pytest.mark.parametrize(
        "address",
        [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2002:7f00:1::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff0e::1",
        ],
    )
    def test_nowhere_else(self, address):
        assert not rules.is_allowed(ip_address(address))

    def test_in_networks_that_are_permitted(self):
        permitted = [ip_network("127.0.0.0/8"), ip_network("fd00::/8")]

        assert rules.is_allowed(ip_address("127.0.0.1"), permitted)
        assert rules.is_allowed(ip_address("::ffff:127.0.0.1"), permitted)
        assert rules.is_allowed(ip_address("fd00::1"), permitted)
        assert not rules.is_allowed(ip_address("10.0.0.1"), permitted)


class TestAddress:
    @pytest.mark.parametrize(
        "url",
        ["https://hooks.example/kourse?x=1", "https://hooks.example:8443/", "https://1.1.1.1"],
    )
    def test_is_taken_with_tls(self, url):
        assert rules.what_is_wrong(url, plain_http=False) is None

    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.example/",
            "ftp://hooks.example/",
            "https://",
            "https:///path",
            "https://ana:secret@hooks.example/",
            "https://hooks.example/#part",
            "https://hooks.example/a b",
            "https://hooks.example/\r\nx: y",
            "https://[::1/",
            "https://hooks.example:99999/",
            "https://①②⑦.⓪.⓪.①/",
            "javascript:alert(1)",
        ],
    )
    def test_is_refused_with_a_reason_otherwise(self, url):
        assert rules.what_is_wrong(url, plain_http=False)

    def test_is_taken_without_tls_only_where_the_installation_says_so(self):
        assert rules.what_is_wrong("http://127.0.0.1:9/", plain_http=True) is None
        assert rules.what_is_wrong("ftp://127.0.0.1:9/", plain_http=True)


class TestWait:
    @given(st.integers(1, 100), st.floats(0, 1, exclude_max=True))
    def test_lies_between_half_and_all_of_what_grows_up_to_its_bound(self, attempts, jitter):
        whole = min(5.0 * 4 ** (attempts - 1), 12 * 3600)

        assert whole / 2 <= rules.wait_s(attempts, jitter) <= whole

    def test_is_as_long_as_the_endpoint_asks_within_reason(self):
        assert rules.wait_s(1, 0.5, 600) == 600
        assert rules.wait_s(1, 0.5, 10**6) == rules.LONGEST_RETRY_AFTER_S


class TestGivenUp:
    def test_is_an_endpoint_that_failed_both_long_and_often(self):
        long, often = timedelta(days=3), 10

        assert rules.is_given_up(long, often)
        assert not rules.is_given_up(long - timedelta(seconds=1), often)
        assert not rules.is_given_up(long, often - 1)
