"""When a mail that did not leave is given up."""

from __future__ import annotations

from datetime import timedelta

FIRST_WAIT = timedelta(seconds=5)
"""Longest wait after the first attempt; each further one doubles it."""
LONGEST_WAIT = timedelta(minutes=15)
GIVE_UP_AFTER = timedelta(days=3)
"""Age at which a mail that the relay does not take has no point any more."""
HELD_AT_MOST = timedelta(days=14)
"""Age at which a message for an address that nobody verified is dropped."""
