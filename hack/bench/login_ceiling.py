"""What the hash pool does in a second with nothing else to do: ``python -m hack.bench.login_ceiling``."""

from __future__ import annotations

import asyncio
import time

from kourse.identity.service.hashing import HashPool
from kourse.identity.settings import IdentitySettings

SECONDS = 3.0
_PASSWORD = "correct horse battery staple"  # noqa: S105 - nobody's


async def _rate(pool: HashPool) -> float:
    sealed = await pool.seal(_PASSWORD)
    end = time.perf_counter() + SECONDS

    async def check() -> int:
        done = 0
        while time.perf_counter() < end:
            await pool.opens(sealed, _PASSWORD)
            done += 1
        return done

    begun = time.perf_counter()
    counts = await asyncio.gather(*(check() for _ in range(pool.workers)))
    return sum(counts) / (time.perf_counter() - begun)


def main() -> None:
    """Prints it, for a pool of identity's defaults."""
    fields = IdentitySettings.model_fields
    names = ("workers", "queue", "memory_kib", "iterations")
    pool = HashPool(**{name: fields[f"hash_{name}"].default for name in names})
    print(asyncio.run(_rate(pool)))
    pool.close()


if __name__ == "__main__":
    main()
