"""Which passwords are good enough, whatever store keeps them.

Length and a list of known passwords, no rules about kinds of characters: those make passwords
predictable, not strong.

Source:
    NIST SP 800-63B-4 section 3.1.1.2; OWASP ASVS 5.0 section 6.2.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator

MAXIMUM_LENGTH = 256
"""Characters accepted at most; hashing stays cheap and nobody types more."""

SHORTEST_CONTEXT_WORD = 4
LONGEST_REPEATED_UNIT = 8


def prepared(password: str) -> str:
    """The password as it is hashed: the same text, however the keyboard composed its accents.

    Source:
        RFC 8265 section 4.2 (OpaqueString): NFC, case and spaces untouched.
    """
    return unicodedata.normalize("NFC", password)


def faults(
    password: str,
    *,
    minimum_length: int,
    context: Iterable[str],
    is_common: Callable[[str], bool],
) -> list[str]:
    """What is wrong with a password, one sentence each; empty when it is good enough.

    Args:
        password: As typed.
        minimum_length: Characters needed.
        context: Words that an attacker would try here first: the person's name, the product.
        is_common: Whether a case-folded text is on the list of common passwords.
    """
    found = []
    if len(prepared(password)) < minimum_length:
        found.append(f"Use at least {minimum_length} characters.")
    if len(password) > MAXIMUM_LENGTH:
        found.append(f"Use at most {MAXIMUM_LENGTH} characters.")
    elif _is_guessable(prepared(password).casefold(), context, is_common):
        found.append("This is among the first that an attacker would try.")
    return found


def _is_guessable(folded: str, context: Iterable[str], is_common: Callable[[str], bool]) -> bool:
    stem = folded.strip(" 0123456789!.?*#_-")
    tried = {folded, stem, *_repeated_unit(folded)}
    known = {word.casefold() for word in context if len(word) >= SHORTEST_CONTEXT_WORD}
    return any(not text or text in known or is_common(text) for text in tried) or (
        len(set(folded)) < SHORTEST_CONTEXT_WORD
    )


def _repeated_unit(text: str) -> Iterator[str]:
    """The part that a text repeats from end to end, when it is short enough to be a trick."""
    length = (text + text).find(text, 1)
    if 0 < length < len(text):
        unit = text[:length]
        yield "" if length <= LONGEST_REPEATED_UNIT else unit
