"""Password hashing in a bounded pool: an expensive hash per request must not become a way to stop us.

The pool leaves a core to everybody else, and its threads give way to whatever else wants to run: a class that
logs in at once waits for itself and slows down nobody.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from prometheus_client import Counter, Gauge

from kourse.contracts.errors import Unavailable

T = TypeVar("T")
BUSY_RETRY_AFTER_S = 2.0
NICENESS = 5
"""By how much the threads that hash are nicer than the rest, where a thread has a priority of its own."""

PLACES = Gauge(
    "kourse_hash_pool_places", "Passwords that may be in hand or wait for a thread at a time."
)
IN_HAND = Gauge("kourse_hash_pool_in_hand", "Passwords in hand or waiting for a thread.")
REFUSED = Counter("kourse_hash_pool_refused_total", "Log-ins turned away as too many waited.")


class HashPool:
    """Hashes and checks passwords with argon2id on a few threads.

    Attributes:
        workers: Hashes at a time.

    Args:
        workers: Hashes at a time; 0 is one for each core but one, and at least one.
        queue: Hashes that may wait; one more is refused at once.
        memory_kib: Memory of one hash.
        iterations: Passes of one hash.
    """

    def __init__(self, *, workers: int, queue: int, memory_kib: int, iterations: int) -> None:
        threads = workers or max(1, (os.cpu_count() or 1) - 1)
        self.workers = threads
        self._pool = ThreadPoolExecutor(
            threads, thread_name_prefix="password", initializer=_give_way
        )
        self._room = threading.BoundedSemaphore(threads + queue)
        PLACES.set(threads + queue)
        self._hasher = PasswordHasher(
            time_cost=iterations, memory_cost=memory_kib, parallelism=1, type=Type.ID
        )
        self._nobody = self._hasher.hash("nobody's password")

    async def seal(self, password: str) -> str:
        """The password as an argon2id string with a salt of its own.

        Raises:
            Unavailable: Too many passwords wait already.
        """
        return await self._run(lambda: self._hasher.hash(password))

    async def opens(self, sealed: str | None, password: str) -> bool:
        """Whether the password is the sealed one; False after the same work when there is none.

        Raises:
            Unavailable: Too many passwords wait already.
        """
        return await self._run(lambda: self._verify(sealed, password))

    def is_outdated(self, sealed: str) -> bool:
        """Whether it was sealed under other parameters than today's."""
        return self._hasher.check_needs_rehash(sealed)

    def close(self) -> None:
        """Ends the threads; what waits is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _verify(self, sealed: str | None, password: str) -> bool:
        try:
            self._hasher.verify(sealed or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return sealed is not None

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._room.acquire(blocking=False):
            REFUSED.inc()
            raise Unavailable(
                "Too many people log in at this moment.", retry_after_s=BUSY_RETRY_AFTER_S
            )
        future = self._pool.submit(work)
        IN_HAND.inc()
        future.add_done_callback(self._leave)
        return await asyncio.wrap_future(future)

    def _leave(self, _done: Future[T]) -> None:
        IN_HAND.dec()
        self._room.release()


def _give_way() -> None:
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)
