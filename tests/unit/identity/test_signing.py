"""Rotation of the signing keys, with the verifiers' real cache of public keys."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kourse.contracts.errors import Unauthenticated
from kourse.identity.service.signing import SigningKeys
from kourse.kit.auth import USER_AUDIENCE, KeyCache, Verifier, ec_keys
from kourse.kit.auth.key_files import LEAD_S, OVERLAP_S, rotate

ISSUER = "http://gateway.test"
BEGIN = 1_800_000_000.0
LIFETIME_S = 300


class Clock:
    """Time that moves when told to."""

    def __init__(self):
        self.now = BEGIN

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def directory(tmp_path):
    """One key, as the installer leaves it."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "signing-key.pem").write_bytes(pem)
    return tmp_path


def verifier(keys, clock):
    async def fetch():
        return json.dumps(keys.jwks()).encode()

    return Verifier(ISSUER, KeyCache(fetch, ec_keys, clock=clock), now=clock)


def token(keys, clock):
    return keys.sign(
        {
            "iss": ISSUER, "aud": USER_AUDIENCE, "sub": "00000000-0000-0000-0000-000000000001",
            "sid": "s", "tenant": "demo", "roles": [], "iat": clock.now,
            "exp": clock.now + LIFETIME_S,
        }
    )  # fmt: skip


class TestRotation:
    async def test_is_noticed_by_no_verifier_and_no_holder_of_a_token(self, directory, clock):
        """Three hours in steps of half a minute, two rotations, three verifiers with caches of any age."""
        keys = SigningKeys(directory, now=clock)
        verifiers = [verifier(keys, clock) for _ in range(3)]
        held, kids = [], set()
        for step in range(360):
            clock.now = BEGIN + 30 * step
            if step in {20, 200}:
                rotate(directory, now=clock.now)
            kids.add(keys.kid)
            held = [*held[-LIFETIME_S // 30 :], token(keys, clock)]
            for number, one in enumerate(verifiers):
                if step % (7 * 10**number) == 0:
                    await one.verify(held[-1], USER_AUDIENCE)
                    await one.verify(held[0], USER_AUDIENCE)

        assert len(kids) == 3

    async def test_is_over_for_a_key_that_no_valid_token_needs(self, directory, clock):
        keys = SigningKeys(directory, now=clock)
        rotate(directory, now=clock.now)
        old = keys.kid
        clock.now += LEAD_S + OVERLAP_S
        _, removed = rotate(directory, now=clock.now)
        clock.now += 60

        assert [file.name for file in removed] == ["signing-key.pem"]
        assert old not in {key["kid"] for key in keys.jwks()["keys"]}

    def test_publishes_a_key_before_it_signs(self, directory, clock):
        keys = SigningKeys(directory, now=clock)
        first = keys.kid
        rotate(directory, now=clock.now)
        clock.now += 60

        assert keys.kid == first
        assert len(keys.jwks()["keys"]) == 2
        clock.now += LEAD_S
        assert keys.kid != first

    async def test_leaves_tokens_of_a_stranger_refused(self, directory, clock, tmp_path_factory):
        keys = SigningKeys(directory, now=clock)
        foreign = tmp_path_factory.mktemp("foreign")
        rotate(foreign, now=clock.now - LEAD_S)
        stranger = SigningKeys(foreign, now=clock)

        with pytest.raises(Unauthenticated):
            await verifier(keys, clock).verify(token(stranger, clock), USER_AUDIENCE)

    def test_keeps_private_keys_to_their_owner(self, directory):
        made, _ = rotate(directory, now=BEGIN)

        assert made.stat().st_mode & 0o077 == 0


class TestSigningKeys:
    def test_refuses_a_directory_without_keys(self, tmp_path):
        with pytest.raises(ValueError, match="no signing key"):
            SigningKeys(tmp_path)

    def test_refuses_keys_that_all_begin_later(self, tmp_path):
        rotate(tmp_path, now=BEGIN)

        with pytest.raises(ValueError, match="signs yet"):
            SigningKeys(tmp_path, now=lambda: BEGIN)


class TestPeppers:
    def test_stay_the_same_for_every_replica_while_keys_rotate(self, directory, clock):
        long_running = SigningKeys(directory, now=clock)
        made_under = long_running.kid
        before = long_running.peppers()[made_under]
        rotate(directory, now=clock.now)
        clock.now += LEAD_S + 1

        restarted = SigningKeys(directory, now=clock)

        assert restarted.kid == long_running.kid != made_under
        assert restarted.peppers() == long_running.peppers()
        assert restarted.peppers()[made_under] == before

    def test_differ_from_key_to_key(self, directory, clock):
        rotate(directory, now=clock.now)

        assert len(set(SigningKeys(directory, now=clock).peppers().values())) == 2
