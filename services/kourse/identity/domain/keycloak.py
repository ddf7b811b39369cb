"""What Keycloak's admin API takes and gives, as plain data."""

from __future__ import annotations

import json
from base64 import b32encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kourse.identity.domain.accounts import Account, normalised_email

_HASH_BYTES = 32


@dataclass(frozen=True)
class Failures:
    """How an account stands with Keycloak's brute force detection.

    Attributes:
        count: Failures in a row.
        locked_until: End of the lock in force, else None.
    """

    count: int
    locked_until: datetime | None


@dataclass(frozen=True)
class RealmUser:
    """What counts of a user for the account.

    Attributes:
        subject: The user's id in the realm.
        email: Normalised address, if the realm has seen that it is theirs; else empty.
        is_enabled: Whether the realm lets them in, apart from locks.
    """

    subject: str
    email: str
    is_enabled: bool

    def is_as(self, account: Account) -> bool:
        """Whether user and account stand alike."""
        return self.is_enabled is not account.is_disabled and self.email in ("", account.email)


def realm_user(answer: dict[str, Any]) -> RealmUser:
    """A user as the admin API describes them; an address that mail does not know is none."""
    email = str(answer.get("email") or "") if answer.get("emailVerified") else ""
    try:
        email = normalised_email(email) if email else ""
    except ValueError:
        email = ""
    return RealmUser(str(answer["id"]), email, bool(answer.get("enabled")))


def user_of(account: Account) -> dict[str, Any]:
    """The account as a user; the address is its user name too."""
    return {
        "username": account.email,
        "email": account.email,
        "emailVerified": account.is_verified,
        "enabled": not account.is_disabled,
        "firstName": account.display_name,
    }


def password_of(sealed: str) -> dict[str, str]:
    """A sealed password as a credential; Keycloak checks it with its own argon2.

    Args:
        sealed: A PHC string of argon2id, ``$argon2id$v=19$m=…,t=…,p=…$salt$hash``.

    Raises:
        ValueError: It is none.
    """
    _, name, version, settings, salt, digest = sealed.split("$")
    if (name, version) != ("argon2id", "v=19"):
        raise ValueError("not an argon2id string of version 1.3")
    cost = dict(setting.split("=") for setting in settings.split(","))
    details = {
        "algorithm": "argon2",
        "hashIterations": int(cost["t"]),
        "additionalParameters": {
            "type": ["id"],
            "version": ["1.3"],
            "memory": [cost["m"]],
            "parallelism": [cost["p"]],
            "hashLength": [str(_HASH_BYTES)],
        },
    }
    return _credential("password", {"value": _padded(digest), "salt": _padded(salt)}, details)


def factor_of(secret: bytes) -> dict[str, str]:
    """A TOTP secret (RFC 6238: SHA-1, six digits, 30 s) as a credential."""
    details = {
        "subType": "totp",
        "digits": 6,
        "counter": 0,
        "period": 30,
        "algorithm": "HmacSHA1",
        "secretEncoding": "BASE32",
    }
    return _credential("otp", {"value": b32encode(secret).decode()}, details)


def failures_of(answer: dict[str, Any]) -> Failures:
    """What brute force detection says of a user."""
    ends = float(answer["failedLoginNotBefore"])
    return Failures(
        count=int(answer["numFailures"]),
        locked_until=datetime.fromtimestamp(ends, UTC) if answer["disabled"] and ends else None,
    )


def _credential(kind: str, secret: dict[str, str], details: dict[str, Any]) -> dict[str, str]:
    return {
        "type": kind,
        "secretData": json.dumps(secret),
        "credentialData": json.dumps(details),
    }


def _padded(text: str) -> str:
    """Base64 of a PHC string, which has no padding, as Java reads it."""
    return text + "=" * (-len(text) % 4)
