"""The matrix of who may call what, from the catalogs: routes, roles, objects and states of a token."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path
from uuid import uuid4

import httpx2

from kourse.contracts.permissions import ROLE_PERMISSIONS, Role
from kourse.gateway.table import load_table
from kourse.identity.service.signing import SigningKeys
from support.tokens import Issuer, b64

ROUTES = load_table().routes
GUARDED = [route for route in ROUTES if route.permission is not None]
EVERY_ROLE = [role.value for role in Role]
TENANT, OTHER_TENANT = "demo", "elsewhere"

PERSONAL = {
    "attempt",
    "delivery_id",
    "file_id",
    "goal_id",
    "message_id",
    "notification_id",
    "plan_id",
    "session_id",
    "token_id",
    "webhook_id",
}
"""Parameters that name what belongs to one person."""
TENANTS = {
    "account_id",
    "attempt_id",
    "announcement_id",
    "assignment",
    "cohort",
    "course",
    "event_id",
    "exam",
    "group",
    "invitation_id",
    "key",
    "lesson",
    "name",
    "pool",
    "question",
    "regrade_id",
    "secret_id",
    "submission_id",
}
"""Parameters that name what belongs to one tenant, and is seen by those who grade in it."""
PEOPLE = {"learner_id", "user_id"}
"""Parameters that name a person, whom only those see who manage people."""
WITHIN = {"chapter", "number", "role", "slot", "version"}
"""Parameters that mean something only within what another one names."""
_addresses = count(1)


def parameters(route):
    """Names of the route's parameters."""
    segments = route.path.split("/")
    return {segment[1:-1] for segment in segments if segment.startswith("{")}


def address(route, known=None):
    """The route's path with these values, and names of nothing for other parameters."""
    values = {name: "1" if name in WITHIN else "nowhere" for name in parameters(route)}
    values |= {name: str(uuid4()) for name in values if name.endswith("_id") or name == "attempt"}
    return route.path.format(**values | {name: str(value) for name, value in (known or {}).items()})


def name_of(route):
    """How the route is called in reports."""
    return f"{route.method} {route.path}"


class Mint:
    """Signs with the running platform's own key: any token that identity could, and some it would not."""

    def __init__(self, state):
        settings = _environment(state / "env.d" / "identity.env")
        keys = SigningKeys(Path(settings["KOURSE_IDENTITY_SIGNING_KEY_FILE"]))
        self._keys = keys
        self._issuer = Issuer(settings["KOURSE_TOKEN_ISSUER"], keys.kid)

    def token(self, **changes):
        """A good token, but for what is changed."""
        usual = {"tenant": TENANT, "sid": str(uuid4())}
        return self._keys.sign(self._issuer.person(**usual | changes))

    def bad(self):
        """Tokens that nobody may believe, by what is wrong with them."""
        now, right = time.time(), {"roles": EVERY_ROLE, "sub": str(uuid4())}
        claims = self._issuer.person(tenant=TENANT, **right)
        good = self.token(**right)
        head, payload, signature = good.split(".")
        other = Issuer(self._issuer.issuer, self._issuer.kid)
        widened = b64({**claims, "tenant": OTHER_TENANT})
        unsigned = {"alg": "none", "typ": "at+jwt", "kid": self._issuer.kid}
        return {
            "no token": None,
            "no JWT": "nonsense",
            "cut short": f"{head}.{payload}.",
            "another payload under the signature": f"{head}.{widened}.{signature}",
            "unsigned": f"{b64(unsigned)}.{b64(claims)}.",
            "signed by somebody else": other.sign(claims),
            "keyed with the public key": other.sign(claims, alg="HS256"),
            "no access token": other.sign(claims, typ="JWT"),
            "expired": self.token(**right, iat=now - 900, exp=int(now) - 60),
            "not valid yet": self.token(**right, iat=now + 600, exp=int(now) + 900),
            "of another issuer": self.token(**right, iss="http://elsewhere.example"),
            "for a service": self.token(**right, aud="course"),
            "for a list of audiences": self.token(**right, aud=["kourse", "course"]),
            "of nobody": self.token(roles=EVERY_ROLE, sub="nobody"),
        }


def local_address():
    """A network address of this machine that nobody called from yet."""
    number = next(_addresses)
    return f"127.77.{number // 250}.{number % 250 + 1}"


class Caller:
    """Calls routes at the gateway and at their services, from a network address of its own.

    So the gateway's quota of failures of an address stays out of the matter.
    """

    def __init__(self, service_urls):
        self._urls = service_urls
        transport = httpx2.HTTPTransport(local_address=local_address())
        self._http = httpx2.Client(transport=transport, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._http.close()

    def places(self, route):
        """Name and address of both where a route is answered."""
        return {"gateway": self._urls["gateway"], route.service: self._urls[route.service]}

    def ask(self, url, route, path, token, body=None, query=None, **headers):
        """The answer to a call with this token."""
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        sent = {} if route.method in {"GET", "DELETE"} else {"json": body or {}}
        if query:
            sent["params"] = query
        with self._http.stream(route.method, url + path, headers=headers, **sent) as answer:
            if not (route.streams and answer.is_success):  # whose end would not come
                answer.read()
            return answer


def allows(role, route):
    """Whether the catalog lets the role, held in the whole tenant, call the route."""
    return route.permission in ROLE_PERMISSIONS[Role(role)]


def told(answer, path):
    """Status and words of a refusal, without the names that were asked for."""
    if not answer.content:
        return answer.status_code, "", ""
    body = answer.json()
    detail = body.get("detail", "")
    for segment in path.split("/")[2:]:
        detail = detail.replace(segment, "…")
    return answer.status_code, body.get("code"), detail


def _environment(file):
    lines = [line for line in file.read_text().splitlines() if "=" in line]
    values = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    return {name: value.strip("'\"") for name, value in values.items()}
