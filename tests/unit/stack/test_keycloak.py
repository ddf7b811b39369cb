"""A stack with a real Keycloak: who starts what, with which realm, and where its secrets are."""

import json

import pytest

from hack.install import keycloak as installed
from hack.install.machine import PrerequisiteMissing
from hack.stack import keycloak
from hack.stack.layout import Layout
from hack.stack.profiles import PORTS, IdentityBackend, Profile, make_plan
from hack.stack.site import Site


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site on a machine where Keycloak is built and Java is there."""
    java = tmp_path / "java"
    java.touch()
    (tmp_path / "built").mkdir()
    monkeypatch.setattr(keycloak, "keycloak_directory", lambda: tmp_path / "built")
    monkeypatch.setattr(installed, "installed_file", lambda _pattern: java)
    layout = Layout(tmp_path / "state")
    return Site(layout, {name: 20000 + number for number, name in enumerate(PORTS)})


def rows(site, profile=Profile.FULL, backend=IdentityBackend.KEYCLOAK):
    return {row.name: row for row in make_plan(site, profile, backend).processes}


class TestPlan:
    def test_has_no_keycloak_unless_asked_for(self, site):
        assert "keycloak" not in rows(site, backend=IdentityBackend.LOCAL)

    def test_tells_identity_where_credentials_live(self, site):
        identity = rows(site)["identity"]
        assert identity.env["KOURSE_IDENTITY_BACKEND"] == "keycloak"
        assert identity.env["KOURSE_IDENTITY_KEYCLOAK_URL"] == site.url("keycloak")

    def test_starts_identity_only_when_it_can_make_its_first_administrator(self, site):
        assert "keycloak" in rows(site)["identity"].needs

    def test_shows_no_secret_on_a_command_line(self, site):
        arguments = " ".join(rows(site)["keycloak"].argv)
        for name in ("keycloak-client", "keycloak-admin", "postgres-keycloak"):
            assert site.secret(name) not in arguments

    def test_is_postgresql_and_keycloak_alone_for_tests(self, site):
        names = set(rows(site, Profile.KEYCLOAK))
        assert names == {
            "postgres-cluster", "postgres", "postgres-roles", "keycloak-database", "keycloak",
        }  # fmt: skip

    def test_names_the_remedy_where_keycloak_is_not_built(self, site, monkeypatch, tmp_path):
        monkeypatch.setattr(keycloak, "keycloak_directory", lambda: tmp_path / "nothing")
        with pytest.raises(PrerequisiteMissing, match="make install"):
            make_plan(site, Profile.KEYCLOAK)


REALM = json.loads(keycloak.REALM_FILE.read_text())
CLIENTS = {one["clientId"]: one for one in REALM["clients"]}


class TestRealm:
    def test_locks_as_identity_does(self):
        assert {
            name: REALM[name]
            for name in (
                "bruteForceProtected", "permanentLockout", "maxTemporaryLockouts",
                "bruteForceStrategy", "failureFactor", "waitIncrementSeconds",
                "maxFailureWaitSeconds", "maxDeltaTimeSeconds", "quickLoginCheckMilliSeconds",
                "minimumQuickLoginWaitSeconds",
            )
        } == {
            "bruteForceProtected": True, "permanentLockout": False, "maxTemporaryLockouts": 0,
            "bruteForceStrategy": "MULTIPLE", "failureFactor": 5, "waitIncrementSeconds": 60,
            "maxFailureWaitSeconds": 900, "maxDeltaTimeSeconds": 43200,
            "quickLoginCheckMilliSeconds": 1000, "minimumQuickLoginWaitSeconds": 60,
        }  # fmt: skip

    def test_holds_no_secret(self):
        secrets = {one.get("secret", "${}") for one in CLIENTS.values()}
        assert all(secret.startswith("${") for secret in secrets)

    def test_lets_nobody_in_by_implicit_grant_or_without_a_challenge(self):
        assert not any(one.get("implicitFlowEnabled", False) for one in CLIENTS.values())
        standard = [one for one in CLIENTS.values() if one.get("standardFlowEnabled", True)]
        methods = [one["attributes"]["pkce.code.challenge.method"] for one in standard]
        assert methods == ["S256"]

    def test_grants_passwords_only_to_identitys_own_clients(self):
        direct = {
            name for name, one in CLIENTS.items() if one.get("directAccessGrantsEnabled", True)
        }
        assert direct == {"kourse-login", "kourse-second-factor"}
        assert not any(CLIENTS[name]["fullScopeAllowed"] for name in direct)

    def test_gives_the_service_account_no_more_than_users_and_events(self):
        (account,) = REALM["users"]
        assert account["clientRoles"] == {
            "realm-management": ["manage-users", "view-users", "view-events"]
        }
        assert "realmRoles" not in account

    def test_registers_nobody_by_itself(self):
        assert not REALM["registrationAllowed"]
        assert not REALM["resetPasswordAllowed"]
