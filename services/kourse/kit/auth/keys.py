"""An issuer's public keys, kept in memory so that tokens are checked without asking anybody."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Generic, TypeVar

import orjson
from joserfc.jwk import ECKey, RSAKey

from kourse.contracts.errors import Unavailable
from kourse.kit.telemetry import get_logger

FRESH_S = 600.0
"""Age after which keys are fetched anew, in the background."""
USABLE_S = 86_400.0
"""Age up to which keys are used while the issuer cannot be reached."""
REFETCH_S = 30.0
"""Least time between fetches for unknown key ids, so that made-up ids cost nothing."""
FIRST_FETCH_S = 1.0
"""Least time between fetches while there is no key at all."""
FETCH_TIMEOUT_S = 2.0
MAX_BYTES = 65_536
MAX_KEYS = 16

KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
Key = TypeVar("Key", bound=ECKey | RSAKey)
log = get_logger(__name__)


class KeyCache(Generic[Key]):
    """Keys by id, from a JWKS document.

    Args:
        fetch: Gives the document's bytes, or raises anything.
        parse: Reads the usable keys out of it, or raises ``ValueError``.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        fetch: Callable[[], Awaitable[bytes]],
        parse: Callable[[bytes], dict[str, Key]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._parse = parse
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()
        self._refresh: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> Key | None:
        """The key, or None when the issuer has none of that id.

        Raises:
            Unavailable: No keys are known, or those known are older than a day.
        """
        key = self._usable().get(key_id)
        if key is None:
            await self._update()
            return self._require().get(key_id)
        if self._age() >= FRESH_S and self._may_try():
            self._refresh = asyncio.create_task(self._update())
        return key

    async def ready(self) -> None:
        """Returns when keys are known.

        Raises:
            Unavailable: None could be fetched.
        """
        if not self._usable():
            await self._update()
        self._require()

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._clock() - self._fetched_at

    def _usable(self) -> dict[str, Key]:
        return self._keys if self._age() < USABLE_S else {}

    def _require(self) -> dict[str, Key]:
        keys = self._usable()
        if not keys:
            raise Unavailable("Tokens cannot be checked right now.", retry_after_s=FIRST_FETCH_S)
        return keys

    def _may_try(self) -> bool:
        pause = REFETCH_S if self._usable() else FIRST_FETCH_S
        return self._tried_at is None or self._clock() - self._tried_at >= pause

    async def _update(self) -> None:
        async with self._lock:
            if not self._may_try():
                return
            self._tried_at = self._clock()
            try:
                self._keys = self._parse(await self._fetch())
                self._fetched_at = self._clock()
            except Exception as error:  # noqa: BLE001 -- whatever fails, the known keys serve on
                log.warning("public keys could not be fetched", error=type(error).__name__)


def ec_keys(document: bytes) -> dict[str, ECKey]:
    """The P-256 signature keys of a JWKS document, by id; all other keys are passed over.

    Raises:
        ValueError: The document is too large, no JWKS, or without any usable key.
    """
    return {
        entry["kid"]: ECKey.import_key({name: entry[name] for name in ("kty", "crv", "x", "y")})
        for entry in _usable(document, {"kty": "EC", "crv": "P-256"}, "ES256")
    }


def rsa_keys(document: bytes) -> dict[str, RSAKey]:
    """The RS256 signature keys of a JWKS document, by id; all other keys are passed over.

    Raises:
        ValueError: The document is too large, no JWKS, or without any usable key.
    """
    return {
        entry["kid"]: RSAKey.import_key({name: entry[name] for name in ("kty", "n", "e")})
        for entry in _usable(document, {"kty": "RSA"}, "RS256")
    }


def _usable(document: bytes, kind: Mapping[str, str], algorithm: str) -> list[dict[str, Any]]:
    if len(document) > MAX_BYTES:
        raise ValueError("the key document is too large")
    found = orjson.loads(document)
    entries = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise ValueError("the key document has no keys")  # noqa: TRY004 -- a value from outside
    usable = [entry for entry in entries[:MAX_KEYS] if _is_usable(entry, kind, algorithm)]
    if not usable:
        raise ValueError("the key document has no usable key")
    return usable


def _is_usable(entry: Any, kind: Mapping[str, str], algorithm: str) -> bool:
    return (
        isinstance(entry, dict)
        and kind.items() <= entry.items()
        and entry.get("alg", algorithm) == algorithm
        and entry.get("use", "sig") == "sig"
        and isinstance(entry.get("kid"), str)
        and KEY_ID.match(entry["kid"]) is not None
    )


def http_fetcher(url: str) -> Callable[[], Awaitable[bytes]]:
    """Fetches ``url`` within 2 s, follows no redirect, and reads at most 64 KiB."""

    async def fetch() -> bytes:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=FETCH_TIMEOUT_S)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            if response.status != 200:  # noqa: PLR2004 -- OK
                raise ValueError(f"the keys' address answered {response.status}")
            return await _read_bounded(response.content)

    return fetch


async def _read_bounded(stream: Any) -> bytes:
    body = bytearray()
    async for chunk in stream.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ValueError("the key document is too large")
    return bytes(body)
