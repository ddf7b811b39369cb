"""Tokens of an issuer that signs with RSA; those of identity itself are tried in test_verifier."""

import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import OctKey, RSAKey

from kourse.contracts.errors import Malformed, Unauthenticated
from kourse.kit.auth import KeyCache, SignedTokens, rsa_keys

KEY = RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})
OTHER = RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"})
PAYLOAD = b'{"sub": "ana"}'
HEADER = {"alg": "RS256", "typ": "JWT", "kid": "first"}


def document(*keys):
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


class Issuer:
    """An issuer whose keys can change."""

    def __init__(self):
        self.keys = [KEY]
        self.now = 0.0
        self.asked = 0

    async def fetch(self):
        self.asked += 1
        return document(*self.keys)

    def tokens(self):
        cache = KeyCache(self.fetch, rsa_keys, clock=lambda: self.now)
        return SignedTokens(cache, algorithm="RS256", types=frozenset({"JWT"}))


def signed(key=KEY, payload=PAYLOAD, **changes):
    header = {name: value for name, value in (HEADER | changes).items() if value is not None}
    bare = {name: value for name, value in key.as_dict(private=True).items() if name != "alg"}
    return jws.serialize_compact(
        header, payload, RSAKey.import_key(bare), algorithms=[header["alg"]]
    )


def part(value):
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class TestSignedTokens:
    async def test_open_with_the_issuers_key(self):
        assert await Issuer().tokens().payload(signed()) == PAYLOAD

    @pytest.mark.parametrize("algorithm", ["none", "None", "nOnE"])
    async def test_are_refused_without_a_signature(self, algorithm):
        head, body, _ = signed().split(".")
        unsigned = f"{part(HEADER | {'alg': algorithm})}.{body}."

        with pytest.raises(Unauthenticated):
            await Issuer().tokens().payload(unsigned)
        with pytest.raises(Unauthenticated):
            await Issuer().tokens().payload(f"{head}.{body}.")

    @pytest.mark.parametrize(
        "secret",
        [
            KEY.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            KEY.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            json.dumps(KEY.as_dict(private=False)).encode(),
            b"0",
        ],
        ids=["pem", "der", "jwk", "short"],
    )
    async def test_are_refused_when_the_public_key_was_taken_for_a_shared_secret(self, secret):
        import hashlib
        import hmac
        from base64 import urlsafe_b64encode

        start = f"{part(HEADER | {'alg': 'HS256'})}.{signed().split('.')[1]}"
        mac = hmac.new(secret, start.encode(), hashlib.sha256).digest()
        forged = f"{start}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"

        with pytest.raises(Unauthenticated):
            await Issuer().tokens().payload(forged)

    @pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
    async def test_are_refused_under_another_algorithm_of_the_same_key(self, algorithm):
        with pytest.raises(Unauthenticated):
            await Issuer().tokens().payload(signed(alg=algorithm))

    async def test_are_refused_when_somebody_else_signed_under_the_same_key_id(self):
        with pytest.raises(Unauthenticated):
            await Issuer().tokens().payload(signed(OTHER))

    async def test_are_refused_with_a_key_of_their_own_in_the_header(self):
        forged = signed(OTHER, jwk=OTHER.as_dict(private=False))

        with pytest.raises(Unauthenticated):
            await Issuer().tokens().payload(forged)

    @pytest.mark.parametrize("kind", ["at+jwt", "logout+jwt", None])
    async def test_are_refused_when_they_are_of_another_type(self, kind):
        with pytest.raises(Unauthenticated):
            await Issuer().tokens().payload(signed(typ=kind))

    async def test_are_refused_when_they_are_longer_than_any_real_one(self):
        with pytest.raises(Malformed):
            await Issuer().tokens().payload(signed(payload=b"x" * 8192))

    async def test_open_with_a_new_key_as_soon_as_the_issuer_signs_with_it(self):
        issuer = Issuer()
        tokens = issuer.tokens()
        await tokens.payload(signed())
        second = RSAKey.generate_key(2048, {"kid": "second", "use": "sig", "alg": "RS256"})
        issuer.keys, issuer.now = [second, KEY], 31.0

        assert await tokens.payload(signed(second, kid="second")) == PAYLOAD
        assert await tokens.payload(signed()) == PAYLOAD

    async def test_cost_the_issuer_nothing_when_their_key_ids_are_made_up(self):
        issuer = Issuer()
        tokens = issuer.tokens()
        await tokens.payload(signed())

        for number in range(10):
            with pytest.raises(Unauthenticated):
                await tokens.payload(signed(OTHER, kid=f"made-up-{number}"))
        assert issuer.asked == 1


class TestRsaKeys:
    def test_passes_over_keys_for_other_ends(self):
        kept = KEY.as_dict(private=False)
        others = [
            kept | {"kid": "encrypts", "use": "enc"},
            kept | {"kid": "other", "alg": "RSA-OAEP"},
            OctKey.generate_key(256).as_dict() | {"kid": "shared"},
        ]
        found = rsa_keys(json.dumps({"keys": [*others, kept]}).encode())

        assert set(found) == {"first"}

    @pytest.mark.parametrize("text", [b"{}", b"[]", b'{"keys": []}'])
    def test_refuses_a_document_without_any(self, text):
        with pytest.raises(ValueError, match="key document"):
            rsa_keys(text)
