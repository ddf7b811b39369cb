"""The token store: a Redis that loses nothing it acknowledged; sessions, codes, lockouts, denials.

Every change that must not be half done is one Lua script. Expiry is the store's own, by its clock.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

TokenStore = Redis
_SCRIPTS = Path(__file__).parent / "lua"


def script(store: TokenStore, name: str) -> AsyncScript:
    """One of the Lua scripts beside this module, ready to be called; sent once, then by its hash."""
    return store.register_script((_SCRIPTS / f"{name}.lua").read_text(encoding="utf-8"))


def ms(period: timedelta) -> int:
    """Whole milliseconds, as Redis counts expiries."""
    return int(period.total_seconds() * 1000)


def text(value: Any) -> str:
    """A reply as text, whether or not the client decodes."""
    return value.decode() if isinstance(value, bytes) else str(value)
