"""A Keycloak as its administrator reaches it, for what identity itself may not do."""

import json
import secrets
import urllib.parse
import urllib.request
from contextlib import contextmanager
from uuid import uuid4

from hack.stack.keycloak import ADMIN_USER, REALM_FILE

TIMEOUT_S = 300
_FLOWS = "b0a6a1c2-6d3f-4c5e-9a57-"
"""Start of the ids of the realm's own flows, which are unique in the whole server."""


class KeycloakAdmin:
    """Makes realms like the platform's own, and looks at how their users stand."""

    def __init__(self, site):
        self._url = site.url("keycloak")
        self._password = site.secret("keycloak-admin")
        self._variables = {
            "${KOURSE_KEYCLOAK_CLIENT_SECRET}": site.secret("keycloak-client"),
            "${KOURSE_PUBLIC_URL}": "http://gateway.test",
        }

    @contextmanager
    def realm(self, changes):
        """The name of a realm with these settings changed, which is gone at the end."""
        name = f"test-{secrets.token_hex(4)}"
        text = REALM_FILE.read_text().replace(_FLOWS, str(uuid4())[:24])
        for variable, value in self._variables.items():
            text = text.replace(variable, value)
        self._ask("POST", "", {**json.loads(text), **changes, "realm": name})
        try:
            yield name
        finally:
            self._ask("DELETE", f"/{name}")

    def give_role(self, realm, subject, role):
        """The user has a role of the realm, which is made when there is none."""
        names = [one["name"] for one in self._ask("GET", f"/{realm}/roles?search={role}")]
        if role not in names:
            self._ask("POST", f"/{realm}/roles", {"name": role})
        found = self._ask("GET", f"/{realm}/roles/{role}")
        self._ask("POST", f"/{realm}/users/{subject}/role-mappings/realm", [found])

    def failures(self, realm, email):
        """How brute force detection speaks of a user."""
        query = urllib.parse.urlencode({"email": email, "exact": "true"})
        (user,) = self._ask("GET", f"/{realm}/users?{query}")
        return self._ask("GET", f"/{realm}/attack-detection/brute-force/users/{user['id']}")

    def _ask(self, method, path, body=None):
        request = urllib.request.Request(
            f"{self._url}/admin/realms{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "authorization": f"Bearer {self._token()}",
                "content-type": "application/json",
            },
        )
        return self._send(request)

    def _token(self):
        login = {
            "grant_type": "password",
            "client_id": "admin-cli",
            "username": ADMIN_USER,
            "password": self._password,
        }
        url = f"{self._url}/realms/master/protocol/openid-connect/token"
        request = urllib.request.Request(url, urllib.parse.urlencode(login).encode())
        return self._send(request)["access_token"]

    def _send(self, request):
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            text = answer.read()
        return json.loads(text) if text else None
