"""Join codes: short enough to dictate, too many to guess.

Ten characters of Crockford's base 32 are 50 random bits. A thousand accounts that guess without pause,
ten times in a quarter of an hour each, find one of a thousand valid codes in some 3,000 years.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, which are misread or form words."""
LENGTH = 10
GROUP = 5
_READ_AS = str.maketrans("ILO", "110", "- \t")


def make_code(random_below: Callable[[int], int]) -> str:
    """A new code in groups, ``7K3QX-M9ZT4``.

    Args:
        random_below: Gives an unpredictable integer from 0 to its argument minus 1, as
            ``secrets.randbelow`` does.
    """
    drawn = "".join(ALPHABET[random_below(len(ALPHABET))] for _ in range(LENGTH))
    return f"{drawn[:GROUP]}-{drawn[GROUP:]}"


def digest_of(typed: str) -> str:
    """What a code is found by: equal for every way of typing it.

    Letters that look like digits are read as those, and a digest is compared instead of the code, so
    that the time of a look-up tells nothing about how close a guess was.
    """
    plain = typed.upper().translate(_READ_AS)
    return hashlib.sha256(plain.encode()).hexdigest()
