"""Claims, refresh tokens that lead to their successors, and codes that cannot be looked up."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet

from kourse.identity.domain import tokens
from kourse.identity.domain.accounts import Standing
from kourse.identity.service.signing import SigningKeys

SESSION = tokens.Session("0196-sid", UUID(int=7), "demo")


@pytest.fixture
def pem(tmp_path):
    """Makes files with a private key."""

    def made(curve=None):
        key = ec.generate_private_key(curve or ec.SECP256R1())
        path = tmp_path / f"{secrets.token_hex(4)}.pem"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return path

    return made


class TestPersonClaims:
    def test_name_person_session_tenant_and_roles(self):
        standing = Standing(("learner",), ("teacher@cohort:autumn",))

        claims = tokens.person_claims(
            SESSION, standing, issuer="https://k.example", audience="kourse"
        )

        assert claims == {
            "iss": "https://k.example",
            "aud": "kourse",
            "sub": str(UUID(int=7)),
            "sid": "0196-sid",
            "tenant": "demo",
            "roles": ["learner"],
            "scopes": ["teacher@cohort:autumn"],
        }


class TestTimes:
    def test_issue_times_have_milliseconds_and_ends_are_whole(self):
        now = datetime(2027, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)

        times = tokens.times(now, timedelta(seconds=300))

        assert times["iat"] == pytest.approx(now.timestamp(), abs=0.001)
        assert times["exp"] == int(now.timestamp()) + 300


class TestWrapped:
    @given(st.binary(min_size=1, max_size=40))
    def test_is_opened_by_the_token_before_alone(self, other):
        successor, predecessor = secrets.token_urlsafe(32), secrets.token_urlsafe(32)

        sealed = tokens.wrapped(successor, predecessor)

        assert tokens.unwrapped(sealed, predecessor) == successor
        assert tokens.unwrapped(sealed, other.hex()) != successor
        assert successor not in sealed


class TestCodeDigest:
    def test_differs_for_each_delivery_and_each_installation(self):
        delivery = uuid4()
        digests = {
            tokens.code_digest("123456", delivery, b"a"),
            tokens.code_digest("123456", delivery, b"b"),
            tokens.code_digest("123456", uuid4(), b"a"),
            tokens.code_digest("123457", delivery, b"a"),
        }

        assert len(digests) == 4


class TestSigningKeys:
    def test_signs_what_its_public_keys_verify(self, pem):
        keys = SigningKeys(pem())

        token = keys.sign({"sub": "x"})
        decoded = jwt.decode(token, KeySet.import_key_set(keys.jwks()), ["ES256"])

        assert decoded.header == {"alg": "ES256", "typ": "at+jwt", "kid": keys.kid}
        assert decoded.claims["sub"] == "x"

    def test_gives_every_token_an_id_of_its_own(self, pem):
        keys = SigningKeys(pem())
        public = KeySet.import_key_set(keys.jwks())

        ids = {jwt.decode(keys.sign({}), public, ["ES256"]).claims["jti"] for _ in range(10)}

        assert len(ids) == 10

    def test_publishes_no_private_part(self, pem):
        (published,) = SigningKeys(pem()).jwks()["keys"]

        assert set(published) == {"kty", "crv", "x", "y", "kid", "use", "alg"}

    def test_keeps_its_id_as_long_as_the_key_is_the_same(self, pem):
        same = pem()

        assert SigningKeys(same).kid == SigningKeys(same).kid != SigningKeys(pem()).kid

    def test_refuses_another_curve(self, pem):
        with pytest.raises(ValueError, match="P-256"):
            SigningKeys(pem(ec.SECP384R1()))
