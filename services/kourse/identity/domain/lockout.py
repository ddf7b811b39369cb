"""Temporary lockout after wrong passwords: Keycloak's algorithm, which both credential stores share.

The store applies it atomically; here are its parameters and the arithmetic, for tests and for the
check of a configuration.

Source:
    Keycloak, Server Administration Guide, "Password guess: brute force attacks";
    org.keycloak.services.managers.DefaultBruteForceProtector.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class LockoutPolicy:
    """Names and meaning as in a Keycloak realm, strategy MULTIPLE.

    Attributes:
        failure_factor: Wrong passwords in a row that lead to a wait.
        wait_increment: Wait that every further full set of failures adds.
        max_wait: Longest wait.
        max_delta: A pause between failures after which counting starts again.
        quick_check: Two failures closer than this look like a machine.
        min_quick_wait: Wait after such a pair.

    Raises:
        ValueError: ``max_delta`` does not exceed ``max_wait``: the longest wait would reset the
            count before it is ever reached.
    """

    failure_factor: int = 5
    wait_increment: timedelta = timedelta(seconds=60)
    max_wait: timedelta = timedelta(seconds=900)
    max_delta: timedelta = timedelta(seconds=43_200)
    quick_check: timedelta = timedelta(seconds=1)
    min_quick_wait: timedelta = timedelta(seconds=60)

    def __post_init__(self) -> None:
        if self.max_delta <= self.max_wait:
            raise ValueError("max_delta must exceed max_wait")
        if self.failure_factor < 1:
            raise ValueError("failure_factor must be at least 1")

    def wait(self, failures: int, since_last: timedelta) -> timedelta:
        """How long log-in is refused after the n-th failure in a row.

        Args:
            failures: Failures in a row, this one included, at least 1.
            since_last: Time since the failure before; ``timedelta.max`` for the first.
        """
        wait = self.wait_increment * (failures // self.failure_factor)
        if wait <= timedelta(0) and since_last < self.quick_check:
            wait = self.min_quick_wait
        return min(wait, self.max_wait)
