"""Settings of identity; every duration is ISO 8601 (``PT5M``) or a number of seconds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr

from kourse.kit.settings import ServiceSettings


def _seconds(value: object) -> object:
    """A duration given as a bare number of seconds, as environment variables often are."""
    if isinstance(value, str) and value.replace(".", "", 1).isdigit():
        return float(value)
    return value


Duration = Annotated[timedelta, BeforeValidator(_seconds)]


class IdentitySettings(ServiceSettings, service="identity"):
    """What an operator of the platform may choose about accounts and sessions."""

    backend: Literal["local", "keycloak"] = "local"
    """Where credentials live: in identity's own rows, or in a Keycloak realm."""

    keycloak_url: str = ""
    """Address of Keycloak, as this service and browsers reach it; needed by that back end alone."""

    keycloak_realm: str = "kourse"
    """Name of the realm that holds the credentials."""

    keycloak_secret: SecretStr = SecretStr("")
    """Secret of identity's clients in the realm."""

    keycloak_redirect_uri: str = ""
    """Where Keycloak sends browsers back to; by default the route that takes them back."""

    keycloak_poll: Duration = timedelta(seconds=5)
    """How often the realm's events are asked for, so that changes made there reach the platform."""

    keycloak_compare: Duration = timedelta(hours=1)
    """How often all the realm's users are compared with their accounts, for what no event tells."""

    keycloak_timeout: Duration = timedelta(seconds=5)
    """Time without an answer after which Keycloak counts as down."""

    data_key_file: Path | None = None
    """File of at least 32 random bytes under which second factors' secrets are encrypted; without it
    nobody can add a second factor. Losing it means that everybody adds theirs anew."""

    signing_key_file: Path
    """PEM file of the EC P-256 key that signs every token, or a directory of such files, of which each
    signs from the Unix second on that names it (`kourse admin rotate-keys`)."""

    clients_file: Path | None = None
    """JSON file of service clients: id to ``{"secretSha256": hex, "audiences": [names]}``."""

    public_url: str = ""
    """Address under which browsers reach the gateway."""

    bootstrap_admin_email: str = ""
    """Address of the first tenant administrator, made at start when missing; empty makes none."""

    bootstrap_admin_password: SecretStr = SecretStr("")
    """Password of that administrator at creation; never changed afterwards."""

    registration: Literal["open", "closed"] = "open"
    """Whether people may register by themselves."""

    require_verified_email: bool = True
    """Whether log-in waits for the verification of the address."""

    password_min_length: Annotated[int, Field(ge=8, le=64)] = 12
    """Characters that a password needs; 15 is advised where there is no second factor."""

    access_token_lifetime: Duration = timedelta(seconds=300)
    """How long an access token is good for; also the longest exposure of a revoked one."""

    session_idle: Duration = timedelta(seconds=1800)
    """A session without a refresh for this long ends."""

    session_lifetime: Duration = timedelta(seconds=36_000)
    """A session ends after this, whatever happens."""

    refresh_grace: Duration = timedelta(seconds=10)
    """How long a lost answer of a refresh can be had again; 0 makes every reuse a theft."""

    code_lifetime: Duration = timedelta(minutes=15)
    """How long a mailed code is good for, from the moment it goes out."""

    code_tries: Annotated[int, Field(ge=1, le=20)] = 5
    """Wrong codes after which a code is dead."""

    codes_per_hour: Annotated[int, Field(ge=1, le=100)] = 5
    """Verification mails for one account in an hour; more are silently not sent."""

    resets_per_hour: Annotated[int, Field(ge=1, le=100)] = 3
    """Reset links for one account in an hour; more are silently not sent."""

    resets_per_address: Annotated[int, Field(ge=1)] = 10
    """Reset links that one network address may ask for in an hour; more are silently not sent."""

    audit_address_lifetime: Duration = timedelta(days=90)
    """How long the audit trail tells from which network address something was done."""

    hash_workers: Annotated[int, Field(ge=0, le=64)] = 0
    """Passwords hashed at a time; 0 is one for each core but one, and at least one."""

    hash_queue: Annotated[int, Field(ge=0)] = 50
    """Passwords that may wait for a worker; more get 503 at once."""

    hash_memory_kib: Annotated[int, Field(ge=8)] = 19_456
    """Memory of one argon2id hash in KiB (OWASP's second recommendation)."""

    hash_iterations: Annotated[int, Field(ge=1)] = 2
    """Passes of one argon2id hash over its memory."""

    lockout_failure_factor: Annotated[int, Field(ge=1)] = 5
    """Wrong passwords in a row that lead to a wait."""

    lockout_wait_increment: Duration = timedelta(seconds=60)
    """Wait added by every full set of failures."""

    lockout_max_wait: Duration = timedelta(seconds=900)
    """Longest wait after failures."""

    lockout_max_delta: Duration = timedelta(seconds=43_200)
    """Pause between failures after which counting starts again."""

    lockout_quick_check: Duration = timedelta(seconds=1)
    """Two failures closer than this look like a machine."""

    lockout_min_quick_wait: Duration = timedelta(seconds=60)
    """Wait after two such failures."""
