"""Keys are fetched seldom, survive identity's absence, and follow its rotation."""

import asyncio

import orjson
import pytest

from kourse.contracts.errors import Unavailable
from kourse.kit.auth.keys import MAX_BYTES, KeyCache, ec_keys
from support.tokens import Issuer


class Identity:
    """A key document that changes, fails, and counts how often it is asked."""

    def __init__(self, *issuers):
        self.issuers = list(issuers)
        self.is_down = False
        self.asked = 0
        self.now = 1000.0
        self.cache = KeyCache(self.fetch, ec_keys, clock=lambda: self.now)

    async def fetch(self):
        self.asked += 1
        if self.is_down:
            raise OSError
        return orjson.dumps({"keys": [issuer.jwk() for issuer in self.issuers]})


@pytest.fixture
def identity():
    return Identity(Issuer(kid="a"))


class TestFind:
    async def test_fetches_once_for_many_tokens(self, identity):
        for _ in range(5):
            assert await identity.cache.find("a") is not None

        assert identity.asked == 1

    async def test_fetches_once_for_many_tokens_at_a_time(self, identity):
        found = await asyncio.gather(*(identity.cache.find("a") for _ in range(20)))

        assert None not in found
        assert identity.asked == 1

    async def test_asks_once_in_30_seconds_for_made_up_ids(self, identity):
        await identity.cache.find("a")
        identity.now += 31
        for number in range(100):
            assert await identity.cache.find(f"made-up-{number}") is None

        assert identity.asked == 2

    async def test_finds_a_new_key_after_a_rotation(self, identity):
        await identity.cache.find("a")
        identity.issuers.append(Issuer(kid="b"))
        identity.now += 31

        assert await identity.cache.find("b") is not None

    async def test_forgets_a_withdrawn_key_with_the_next_fetch(self, identity):
        await identity.cache.find("a")
        identity.issuers = [Issuer(kid="b")]
        identity.now += 31
        await identity.cache.find("b")

        assert await identity.cache.find("a") is None

    async def test_renews_old_keys_without_making_anybody_wait(self, identity):
        await identity.cache.find("a")
        identity.now += 601
        identity.is_down = True

        assert await identity.cache.find("a") is not None
        assert identity.asked == 1
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert identity.asked == 2

    async def test_uses_known_keys_for_a_day_while_identity_is_down(self, identity):
        await identity.cache.find("a")
        identity.is_down = True
        identity.now += 86_399

        assert await identity.cache.find("a") is not None

    async def test_trusts_no_keys_older_than_a_day(self, identity):
        await identity.cache.find("a")
        identity.is_down = True
        identity.now += 86_401

        with pytest.raises(Unavailable):
            await identity.cache.find("a")

    async def test_recovers_a_second_after_identity_appears(self, identity):
        identity.is_down = True
        with pytest.raises(Unavailable):
            await identity.cache.find("a")
        identity.is_down = False
        identity.now += 1

        assert await identity.cache.find("a") is not None


class TestParseKeys:
    @pytest.mark.parametrize(
        "changes",
        [
            {"kty": "RSA"},
            {"crv": "P-384"},
            {"alg": "ES384"},
            {"use": "enc"},
            {"kid": "../key"},
            {"kid": 7},
        ],
        ids=str,
    )
    def test_passes_over_keys_of_other_kinds(self, changes):
        document = orjson.dumps({"keys": [Issuer().jwk(**changes), Issuer(kid="good").jwk()]})

        assert set(ec_keys(document)) == {"good"}

    @pytest.mark.parametrize(
        "document",
        [b"", b"[]", b"{}", b'{"keys": []}', b'{"keys": "a"}', b" " * (MAX_BYTES + 1)],
        ids=["empty", "list", "no keys", "none", "text", "huge"],
    )
    def test_refuses_what_has_no_keys(self, document):
        with pytest.raises(ValueError):  # noqa: PT011 -- any is fine
            ec_keys(document)
