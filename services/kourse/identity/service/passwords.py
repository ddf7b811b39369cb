"""The password policy with its list of common passwords, as this installation sets it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from kourse.identity.domain import passwords
from kourse.identity.errors import WeakPassword

_LIST = Path(__file__).parent.parent / "common_passwords.txt"
_DIGITS = 10
_PRODUCT_WORDS = ("kourse", "password", "passwort", "learner", "teacher", "welcome")


def ensure_good(
    password: str, *, minimum_length: int, email: str, display_name: str, tenant: str
) -> None:
    """Returns when the password is good enough for this person here.

    Raises:
        WeakPassword: It is not; the error names every fault.
    """
    found = passwords.faults(
        password,
        minimum_length=minimum_length,
        context=[
            *_PRODUCT_WORDS,
            tenant,
            email,
            email.split("@", maxsplit=1)[0],
            *_words(display_name),
        ],
        is_common=is_common,
    )
    if found:
        raise WeakPassword.because(found)


def is_common(text: str) -> bool:
    """Whether a case-folded text is on the list of common passwords."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS] in _common()


@cache
def _common() -> frozenset[str]:
    lines = _LIST.read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


def _words(name: str) -> list[str]:
    return [name, name.replace(" ", ""), *name.split()]
