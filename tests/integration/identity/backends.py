"""The credential stores that identity's tests run on."""

import hashlib
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

from integration.identity.keycloak_admin import KeycloakAdmin

PATIENCE_S = 120


@dataclass
class Locking:
    """A store that locks by a policy of the test's.

    Attributes:
        settings: Of identity, which choose it.
        failures: Gives for a house and an address the failures in a row, and the Unix milliseconds in
            which their lock ends.
    """

    settings: dict
    failures: Callable


class Local:
    """Identity's own rows."""

    name = "local"

    def settings(self, request):
        """Settings of identity that choose this store, beside the tests' own."""
        del request
        return {"backend": "local"}

    @contextmanager
    def locking(self, request, policy):
        """The store with a lockout policy of its own."""
        del request
        yield Locking({f"lockout_{name}": value for name, value in policy.items()}, _local_failures)


async def _local_failures(house, email):
    key = f"lockout:{hashlib.sha256(email.encode()).hexdigest()}"
    known = await house.store.hmget(key, ["count", "until"])
    return tuple(int(float(one or 0)) for one in known)


class Keycloak:
    """A real Keycloak, started when the first test asks for it."""

    name = "keycloak"

    def settings(self, request):
        """Settings of identity that choose this store, beside the tests' own."""
        site = request.getfixturevalue("keycloak")
        return {
            "backend": "keycloak",
            "keycloak_url": site.url("keycloak"),
            "keycloak_secret": site.secret("keycloak-client"),
            "keycloak_redirect_uri": f"{site.url('gateway')}/v1/auth/sso/callback",
            "keycloak_timeout": PATIENCE_S,
        }

    @contextmanager
    def locking(self, request, policy):
        """The store with a lockout policy of its own: that of a realm made for it."""
        admin = KeycloakAdmin(request.getfixturevalue("keycloak"))
        changes = {
            "failureFactor": policy["failure_factor"],
            "waitIncrementSeconds": int(policy["wait_increment"].total_seconds()),
            "maxFailureWaitSeconds": int(policy["max_wait"].total_seconds()),
            "quickLoginCheckMilliSeconds": int(policy["quick_check"].total_seconds() * 1000),
            "minimumQuickLoginWaitSeconds": int(policy["min_quick_wait"].total_seconds()),
        }
        with admin.realm(changes) as realm:

            async def failures(_house, email):
                found = admin.failures(realm, email)
                return found["numFailures"], found["failedLoginNotBefore"] * 1000

            yield Locking({"keycloak_realm": realm}, failures)


LOCAL = Local()
KEYCLOAK = Keycloak()
BACKENDS = [LOCAL, KEYCLOAK]
