"""What is a key, and what tells one request from another."""

import pytest

from kourse.contracts.errors import Malformed
from kourse.kit.idempotency import fingerprint, well_formed


class TestWellFormed:
    @pytest.mark.parametrize(
        "key", ["9b2b6a0e-8f0c-4b6e-9a55-0c8a1f1d3f11", "x" * 16, "~" * 64, "order/17?try=1:abc"]
    )
    def test_takes_uuids_and_visible_characters(self, key):
        assert well_formed(key) == key

    @pytest.mark.parametrize(
        "key", ["", "x" * 15, "x" * 65, "x" * 20 + " ", "x" * 20 + "\n", "ü" * 20]
    )
    def test_refuses_all_else(self, key):
        with pytest.raises(Malformed):
            well_formed(key)


class TestFingerprint:
    def test_is_the_same_for_the_same_request(self):
        assert fingerprint("POST", "/a?b=1", b"{}") == fingerprint("POST", "/a?b=1", b"{}")

    @pytest.mark.parametrize(
        "other",
        [("PUT", "/a?b=1", b"{}"), ("POST", "/a?b=2", b"{}"), ("POST", "/a?b=1", b"{} ")],
        ids=["method", "target", "body"],
    )
    def test_differs_with_every_part(self, other):
        assert fingerprint("POST", "/a?b=1", b"{}") != fingerprint(*other)

    def test_does_not_run_parts_together(self):
        assert fingerprint("POST", "/a", b"\0b") != fingerprint("POST", "/a\0", b"b")
