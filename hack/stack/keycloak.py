"""A real Keycloak for those who ask for one, with its database in the stack's PostgreSQL."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from hack.install.keycloak import java_command, keycloak_directory
from hack.install.machine import ROOT, PrerequisiteMissing
from hack.stack.database import KEYCLOAK_DATABASE, KEYCLOAK_ROLE
from hack.stack.process import Probe, ProbeKind, Process, digest_of
from hack.stack.site import HOST, Site, base_environment
from hack.stack.tasks import task

REALM = "kourse"
REALM_FILE = ROOT / "manifests" / "keycloak" / "realm.json"
ADMIN_USER = "admin"
PORTS = ("keycloak", "keycloak-management")
CALLBACK = "/v1/auth/sso/callback"

OPTIONS = {
    "cache": "local",
    "http-enabled": "true",
    "db-pool-max-size": "10",
    "spi-password-hashing--argon2--memory": "19456",
    "spi-password-hashing--argon2--iterations": "2",
    "spi-password-hashing--argon2--parallelism": "1",
    "spi-password-hashing--argon2--cpu-cores": "2",
}
"""The hashes are as strong as identity's own, so that either takes the other's without a new one."""


def keycloak(site: Site) -> list[Process]:
    """Return the server and the task that makes its database.

    The realm is imported when the database has none; later changes of the file are for new ones.

    Raises:
        PrerequisiteMissing: It is not installed.
    """
    data = site.layout.data("keycloak")
    home = _home(data / "home")
    options = {
        **OPTIONS,
        "http-host": HOST,
        "http-port": str(site.ports["keycloak"]),
        "http-management-port": str(site.ports["keycloak-management"]),
        "hostname": site.url("keycloak"),
    }
    arguments = [f"--{name}={value}" for name, value in options.items()]
    server = Process(
        name="keycloak",
        argv=(*java_command(home), "start", "--optimized", "--import-realm", *arguments),
        env={**base_environment(data), **_secrets(site)},
        cwd=str(data),
        needs=("keycloak-database",),
        probe=Probe(ProbeKind.HTTP, site.ports["keycloak-management"], "/health/ready"),
        stop_seconds=20.0,
        ports=site.numbers(*PORTS),
        address=site.url("keycloak"),
        inputs=digest_of([REALM_FILE]),
    )
    return [task(site, "keycloak-database", "hack.stack.database", needs=("postgres",)), server]


def identity_settings(site: Site) -> Mapping[str, str]:
    """Return what identity is told so that credentials live in Keycloak."""
    return {
        "KOURSE_IDENTITY_BACKEND": "keycloak",
        "KOURSE_IDENTITY_KEYCLOAK_URL": site.url("keycloak"),
        "KOURSE_IDENTITY_KEYCLOAK_REALM": REALM,
        "KOURSE_IDENTITY_KEYCLOAK_SECRET": site.secret("keycloak-client"),
    }


def _secrets(site: Site) -> Mapping[str, str]:
    """Return what the server and the realm file are told by environment: all of it is this stack's."""
    return {
        "KC_DB_URL": f"jdbc:postgresql://{site.address('postgres')}/{KEYCLOAK_DATABASE}",
        "KC_DB_USERNAME": KEYCLOAK_ROLE,
        "KC_DB_PASSWORD": site.secret(f"postgres-{KEYCLOAK_ROLE}"),
        "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN_USER,
        "KC_BOOTSTRAP_ADMIN_PASSWORD": site.secret("keycloak-admin"),
        "KOURSE_KEYCLOAK_CLIENT_SECRET": site.secret("keycloak-client"),
        "KOURSE_PUBLIC_URL": site.url("gateway"),
    }


def _home(home: Path) -> Path:
    """Make a home that shares the built server and keeps its own data; Keycloak knows only one."""
    built = keycloak_directory()
    if not built.exists():
        raise PrerequisiteMissing("Keycloak is missing: run `make install`.")
    imports = home / "data" / "import"
    imports.mkdir(parents=True, exist_ok=True)
    for name in ("lib", "conf", "providers", "themes"):
        link = home / name
        if not link.is_symlink() or link.readlink() != built / name:
            link.unlink(missing_ok=True)
            link.symlink_to(built / name)
    shutil.copyfile(REALM_FILE, imports / f"{REALM}-realm.json")
    return home
