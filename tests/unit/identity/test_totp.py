"""Codes of a second factor, with the vectors of the standards."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.identity.domain import totp

SECRET = b"12345678901234567890"
NOW = 1_700_000_000.0


class TestCodeAt:
    @pytest.mark.parametrize(
        ("unix_s", "code"),
        [
            (59, "94287082"),
            (1111111109, "07081804"),
            (1111111111, "14050471"),
            (1234567890, "89005924"),
            (2000000000, "69279037"),
            (20000000000, "65353130"),
        ],
    )
    def test_agrees_with_rfc_6238_appendix_b(self, unix_s, code):
        assert totp.code_at(SECRET, totp.step_at(unix_s), digits=8) == code

    def test_agrees_with_rfc_4226_appendix_d(self):
        codes = [totp.code_at(SECRET, count) for count in range(10)]

        assert codes == [
            "755224", "287082", "359152", "969429", "338314",
            "254676", "287922", "162583", "399871", "520489",
        ]  # fmt: skip


class TestMatchingStep:
    @pytest.mark.parametrize("drift", [-1, 0, 1])
    def test_forgives_a_clock_that_is_one_step_off(self, drift):
        step = totp.step_at(NOW) + drift

        assert totp.matching_step(SECRET, totp.code_at(SECRET, step), NOW, after=0) == step

    @pytest.mark.parametrize("drift", [-2, 2])
    def test_refuses_a_code_two_steps_off(self, drift):
        code = totp.code_at(SECRET, totp.step_at(NOW) + drift)

        assert totp.matching_step(SECRET, code, NOW, after=0) is None

    @given(st.integers(min_value=-1, max_value=1), st.integers(min_value=-1, max_value=1))
    def test_takes_no_step_twice_and_none_before_one_that_was_used(self, used, presented):
        current = totp.step_at(NOW)
        code = totp.code_at(SECRET, current + presented)

        found = totp.matching_step(SECRET, code, NOW, after=current + used)

        assert found == (current + presented if presented > used else None)

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "²²²²²²", "abcdef"])
    def test_refuses_what_is_no_code(self, code):
        assert totp.matching_step(SECRET, code, NOW, after=0) is None


class TestAddress:
    def test_carries_the_secret_and_names_the_account(self):
        found = urlsplit(totp.address(SECRET, account="ana@school.example", issuer="kourse"))

        assert (found.scheme, found.netloc) == ("otpauth", "totp")
        assert found.path == "/kourse:ana%40school.example"
        assert parse_qs(found.query)["secret"] == ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]
