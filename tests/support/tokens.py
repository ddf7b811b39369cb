"""A token issuer of the tests' own: right tokens, and wrong ones of every kind."""

import base64
import json
import time
from uuid import UUID, uuid4

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey

ISSUER = "http://gateway.test"
LEARNER = UUID(int=7)


def b64(data):
    """Unpadded base64url, as in tokens."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Issuer:
    """Signs with one P-256 key and publishes its public half."""

    def __init__(self, issuer=ISSUER, kid="key-1"):
        self.issuer = issuer
        self.kid = kid
        self.private = ec.generate_private_key(ec.SECP256R1())

    def jwk(self, **changes):
        """The public key as an entry of a key document."""
        public = ECKey.import_key(self.private.public_key()).as_dict(private=False)
        known = {name: public[name] for name in ("kty", "crv", "x", "y")}
        return {**known, "kid": self.kid, "use": "sig", "alg": "ES256", **changes}

    def jwks(self):
        """The key document."""
        return orjson.dumps({"keys": [self.jwk()]})

    def person(self, **changes):
        """Claims of a person's token; None leaves a claim out."""
        now = time.time()
        claims = {
            "iss": self.issuer,
            "sub": str(LEARNER),
            "aud": "kourse",
            "iat": now,
            "exp": int(now) + 300,
            "jti": str(uuid4()),
            "sid": "session-1",
            "tenant": "demo",
            "roles": ["learner"],
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def service(self, client, audience, **changes):
        """Claims of a service's token."""
        now = time.time()
        claims = {
            "iss": self.issuer,
            "sub": client,
            "client_id": client,
            "aud": audience,
            "iat": now,
            "exp": int(now) + 300,
            "jti": str(uuid4()),
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def sign(self, claims, **header):
        """A token of these claims; header parameters replace the right ones, None removes one."""
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        full = {"alg": "ES256", "typ": "at+jwt", "kid": self.kid, **header}
        return self.sign_raw({k: v for k, v in full.items() if v is not None}, payload)

    def sign_raw(self, header, payload):
        """A token with exactly this header and payload."""
        signed = f"{b64(header)}.{b64(payload)}"
        return f"{signed}.{b64(self.signature(signed.encode()))}"

    def signature(self, text):
        """64 bytes: r and s."""
        r, s = decode_dss_signature(self.private.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)

    def token(self, **changes):
        """A person's token."""
        return self.sign(self.person(**changes))

    def service_token(self, client, audience, **changes):
        """A service's token."""
        return self.sign(self.service(client, audience, **changes))
