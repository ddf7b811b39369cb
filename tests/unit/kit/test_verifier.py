"""Tokens that must be refused, each by the trick it tries, and the few that must not."""

import json
import time
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hmac
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kourse.contracts.errors import Malformed, Unauthenticated, Unavailable
from kourse.kit.auth import KeyCache, Verifier, ec_keys
from support.tokens import ISSUER, Issuer, b64

ISSUED = Issuer()
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture
def verifier():
    return Verifier(ISSUER, KeyCache(serving(ISSUED.jwks()), ec_keys))


def serving(document):
    async def fetch():
        return document

    return fetch


def hs256(key, header=None):
    """A token whose HMAC key is something public."""
    full = {"alg": "HS256", "typ": "at+jwt", "kid": ISSUED.kid, **(header or {})}
    signed = f"{b64(full)}.{b64(ISSUED.person())}"
    mac = hmac.HMAC(key, SHA256())
    mac.update(signed.encode())
    return f"{signed}.{b64(mac.finalize())}"


def public_pem():
    return ISSUED.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_der():
    return ISSUED.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def unsigned(alg):
    return f"{b64({'alg': alg, 'typ': 'at+jwt', 'kid': ISSUED.kid})}.{b64(ISSUED.person())}."


def with_signature(change):
    head, payload, signature = ISSUED.token().split(".")
    return f"{head}.{payload}.{change(signature)}"


def swapped_payload():
    head, _, signature = ISSUED.token().split(".")
    return f"{head}.{b64(ISSUED.person(roles=['tenant-admin']))}.{signature}"


def doubled(name):
    text = json.dumps(ISSUED.person())
    return ISSUED.sign(f'{text[:-1]}, "{name}": {json.dumps(ISSUED.person()[name])}}}'.encode())


def other_alphabet(signature):
    """The same bytes, in a spelling that lenient decoders take: the last character's spare bits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return signature[:-1] + alphabet[alphabet.index(signature[-1]) | 1]


ATTACKS = {
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "alg nOnE": lambda: unsigned("nOnE"),
    "alg missing": lambda: ISSUED.sign(ISSUED.person(), alg=None),
    "alg as list": lambda: ISSUED.sign(ISSUED.person(), alg=["ES256"]),
    "alg of another curve": lambda: ISSUED.sign(ISSUED.person(), alg="ES384"),
    "HS256 with the public PEM": lambda: hs256(public_pem()),
    "HS256 with a mutated PEM": lambda: hs256(public_pem().replace(b"\n", b"\r\n")),
    "HS256 with the DER": lambda: hs256(public_der()),
    "HS256 with the JWK's text": lambda: hs256(json.dumps(ISSUED.jwk()).encode()),
    "HS256 with an empty key": lambda: hs256(b""),
    "kid unknown": lambda: ISSUED.sign(ISSUED.person(), kid="key-2"),
    "kid missing": lambda: ISSUED.sign(ISSUED.person(), kid=None),
    "kid as a path": lambda: ISSUED.sign(ISSUED.person(), kid="../../dev/null"),
    "kid as SQL": lambda: ISSUED.sign(ISSUED.person(), kid="1' OR '1'='1"),
    "kid as an address": lambda: ISSUED.sign(ISSUED.person(), kid="http://evil.test/k"),
    "kid with a line feed": lambda: ISSUED.sign(ISSUED.person(), kid="key-1\n"),
    "kid as a list": lambda: ISSUED.sign(ISSUED.person(), kid=["key-1"]),
    "crit unknown": lambda: ISSUED.sign(ISSUED.person(), crit=["exp"]),
    "crit empty": lambda: ISSUED.sign(ISSUED.person(), crit=[]),
    "b64 false": lambda: ISSUED.sign(ISSUED.person(), b64=False, crit=["b64"]),
    "header doubled": lambda: ISSUED.sign_raw(
        b'{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"key-1"}', json.dumps({}).encode()
    ),
    "header no object": lambda: ISSUED.sign_raw(b'"ES256"', b"{}"),
    "typ of an ID token": lambda: ISSUED.sign(ISSUED.person(), typ="JWT"),
    "typ missing": lambda: ISSUED.sign(ISSUED.person(), typ=None),
    "typ in other case": lambda: ISSUED.sign(ISSUED.person(), typ="AT+JWT"),
    "key of another issuer": lambda: Issuer().token(),
    "sub doubled": lambda: doubled("sub"),
    "tenant doubled": lambda: doubled("tenant"),
    "iss with a slash": lambda: ISSUED.token(iss=f"{ISSUER}/"),
    "iss as a prefix": lambda: ISSUED.token(iss=f"{ISSUER}.evil.test"),
    "iss in other case": lambda: ISSUED.token(iss=ISSUER.upper()),
    "iss missing": lambda: ISSUED.token(iss=None),
    "iss as a list": lambda: ISSUED.token(iss=[ISSUER]),
    "aud of a service": lambda: ISSUED.token(aud="course"),
    "aud as a list": lambda: ISSUED.token(aud=["kourse"]),
    "aud missing": lambda: ISSUED.token(aud=None),
    "service token as a person's": lambda: ISSUED.service_token("course", "kourse"),
    "expired": lambda: ISSUED.token(exp=time.time() - 31),
    "exp missing": lambda: ISSUED.token(exp=None),
    "exp as text": lambda: ISSUED.token(exp=str(int(time.time()) + 300)),
    "exp infinite": lambda: ISSUED.sign(json.dumps(ISSUED.person(exp=float("inf"))).encode()),
    "exp true": lambda: ISSUED.token(exp=True),
    "nbf in the future": lambda: ISSUED.token(nbf=time.time() + 32),
    "iat in the future": lambda: ISSUED.token(iat=time.time() + 32),
    "iat missing": lambda: ISSUED.token(iat=None),
    "sid missing": lambda: ISSUED.token(sid=None),
    "jti missing": lambda: ISSUED.token(jti=None),
    "tenant missing": lambda: ISSUED.token(tenant=None),
    "tenant as a path": lambda: ISSUED.token(tenant="../demo"),
    "tenant empty": lambda: ISSUED.token(tenant=""),
    "roles missing": lambda: ISSUED.token(roles=None),
    "roles as text": lambda: ISSUED.token(roles="tenant-admin"),
    "roles of numbers": lambda: ISSUED.token(roles=[1]),
    "scopes as text": lambda: ISSUED.token(scopes="teacher@cohort:a"),
    "sub no id": lambda: ISSUED.token(sub="admin"),
    "sub too long": lambda: ISSUED.token(sub="7" * 300),
    "payload no object": lambda: ISSUED.sign(b"[]"),
    "payload broken": lambda: ISSUED.sign(b"{"),
    "payload nested deep": lambda: ISSUED.sign(b"[" * 3000 + b"]" * 3000),
    "payload swapped": swapped_payload,
    "signature stripped": lambda: with_signature(lambda _: ""),
    "signature truncated": lambda: with_signature(lambda text: text[:-4]),
    "signature of zeros": lambda: with_signature(lambda _: b64(bytes(64))),
    "signature padded": lambda: with_signature(lambda text: f"{text}=="),
    "signature in another spelling": lambda: with_signature(other_alphabet),
    "two parts": lambda: ISSUED.token().rsplit(".", 1)[0],
    "five parts of a JWE": lambda: f"{ISSUED.token()}.AA.AA",
    "empty": lambda: "",
    "no text of a token": lambda: "é.é.é",
    "line feed inside": lambda: ISSUED.token().replace(".", ".\n", 1),
}


class TestVerify:
    async def test_gives_the_claims_of_a_person(self, verifier):
        claims = await verifier.verify(ISSUED.token(scopes=["teacher@cohort:a"]), "kourse")

        assert (claims.subject, claims.tenant) == (str(UUID(int=7)), "demo")
        assert (claims.roles, claims.scopes) == (frozenset({"learner"}), ("teacher@cohort:a",))
        assert (claims.session_id, claims.client) == ("session-1", None)

    async def test_gives_the_claims_of_a_service(self, verifier):
        claims = await verifier.verify(ISSUED.service_token("dashboard", "course"), "course")

        assert (claims.client, claims.tenant, claims.roles) == ("dashboard", "", frozenset())

    @pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
    async def test_refuses(self, verifier, attack):
        with pytest.raises(Unauthenticated):
            await verifier.verify(attack(), "kourse")

    @pytest.mark.parametrize("header", ["jku", "x5u", "jwk", "x5c"])
    async def test_takes_no_key_from_the_token(self, verifier, header):
        stranger = Issuer()
        value = stranger.jwk() if header == "jwk" else "http://evil.test/keys"

        with pytest.raises(Unauthenticated):
            await verifier.verify(stranger.sign(stranger.person(), **{header: value}), "kourse")

    async def test_refuses_a_persons_token_where_services_call(self, verifier):
        with pytest.raises(Unauthenticated):
            await verifier.verify(ISSUED.token(aud="course"), "course")

    async def test_refuses_a_service_token_for_another_service(self, verifier):
        with pytest.raises(Unauthenticated):
            await verifier.verify(ISSUED.service_token("dashboard", "course"), "profile")

    async def test_refuses_a_service_token_whose_client_is_another(self, verifier):
        token = ISSUED.service_token("dashboard", "course", client_id="course")

        with pytest.raises(Unauthenticated):
            await verifier.verify(token, "course")

    async def test_refuses_what_is_longer_than_8_kib(self, verifier):
        with pytest.raises(Malformed):
            await verifier.verify("a" * 8193, "kourse")

    @pytest.mark.parametrize(("late", "accepted"), [(29.0, True), (31.0, False)])
    async def test_allows_for_clocks_that_differ_by_30_seconds(self, late, accepted):
        now = time.time()
        verifier = Verifier(ISSUER, KeyCache(serving(ISSUED.jwks()), ec_keys), now=lambda: now)
        token = ISSUED.token(exp=now - late, iat=now - 300)

        if accepted:
            await verifier.verify(token, "kourse")
        else:
            with pytest.raises(Unauthenticated):
                await verifier.verify(token, "kourse")

    async def test_gives_a_malleable_signature_the_same_claims(self, verifier):
        token = ISSUED.token()
        first = await verifier.verify(token, "kourse")

        second = await verifier.verify(mirrored(token), "kourse")

        assert (second.token_id, second.session_id) == (first.token_id, first.session_id)

    async def test_remembers_a_token_for_a_minute_at_most(self):
        now = [time.time()]
        keys = KeyCache(serving(ISSUED.jwks()), ec_keys, clock=lambda: now[0])
        verifier = Verifier(ISSUER, keys, now=lambda: now[0])
        token = ISSUED.token(exp=now[0] + 20, iat=now[0])
        await verifier.verify(token, "kourse")
        now[0] += 51

        with pytest.raises(Unauthenticated):
            await verifier.verify(token, "kourse")

    async def test_does_not_take_a_remembered_token_for_another_audience(self, verifier):
        token = ISSUED.token()
        await verifier.verify(token, "kourse")

        with pytest.raises(Unauthenticated):
            await verifier.verify(token, "course")

    async def test_says_unavailable_while_no_keys_are_known(self):
        async def down():
            raise OSError

        with pytest.raises(Unavailable):
            await Verifier(ISSUER, KeyCache(down, ec_keys)).verify(ISSUED.token(), "kourse")


def mirrored(token):
    """The token with the other valid ECDSA signature: (r, n - s)."""
    import base64

    head, payload, signature = token.split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    s = P256_ORDER - int.from_bytes(raw[32:])
    return f"{head}.{payload}.{b64(raw[:32] + s.to_bytes(32))}"
