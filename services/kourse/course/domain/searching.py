"""What somebody who searches the catalogue means: words, their beginnings, and words mistyped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

MOST_WORDS = 8
SHORTEST_CORRECTED = 4
"""Letters below which a word is too short to tell a slip from another word."""
LIKENESS = 0.75
"""Ratio of Ratcliff and Obershelp from which two words count as one mistyped."""
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return _WORD.findall(text.lower())


def query_of(words: list[str]) -> str:
    """A PostgreSQL ``tsquery`` that asks for every word, or for words that begin so."""
    return " & ".join(f"'{word}':*" for word in words[:MOST_WORDS])


def corrected(words: list[str], known: Iterable[str]) -> list[str]:
    """The words, each replaced by the known one that it looks most like, if there is any."""
    vocabulary = sorted(set(known))
    return [_nearest(word, vocabulary) for word in words[:MOST_WORDS]]


def _nearest(word: str, vocabulary: list[str]) -> str:
    if len(word) < SHORTEST_CORRECTED:
        return word
    found = get_close_matches(word, vocabulary, n=1, cutoff=LIKENESS)
    return found[0] if found else word
