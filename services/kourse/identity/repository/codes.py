"""One-time codes in the token store: digests under the delivery id, with an end and few tries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from kourse.identity.repository.token_store import (
    TokenStore,
    ms,
    script,
    text,
)


def registration_of(account_id: UUID) -> str:
    """Owner of the codes that verify the address of a new account."""
    return str(account_id)


def change_of(account_id: UUID) -> str:
    """Owner of the codes that verify an account's next address."""
    return f"change/{account_id}"


@dataclass(frozen=True)
class Live:
    """A delivery whose code may still be good.

    Attributes:
        tenant: Which it belongs to.
        kid: Id of the key whose pepper is in the digest.
    """

    tenant: str
    kid: str


class Codes:
    """Live codes, each kept for an owner: what an account wants to do with it.

    Args:
        store: The token store.
        lifetime: How long a code is good for.
        tries: Guesses that a code stands.
    """

    def __init__(self, store: TokenStore, *, lifetime: timedelta, tries: int) -> None:
        self._store = store
        self._lifetime = lifetime
        self._tries = tries
        self._guess = script(store, "guess")

    @property
    def lifetime(self) -> timedelta:
        """How long a code is good for from its making on."""
        return self._lifetime

    async def put(self, owner: str, delivery_id: UUID, live: Live, digest: str) -> None:
        """The delivery's code is this one; an earlier one of the same delivery is dead."""
        code, index = f"code:{delivery_id}", f"codes:{owner}"
        async with self._store.pipeline(transaction=True) as pipe:
            pipe.delete(code)
            pipe.hset(code, mapping={"digest": digest, "tries": 0})
            pipe.pexpire(code, ms(self._lifetime))
            pipe.hset(index, str(delivery_id), f"{live.tenant} {live.kid}")
            pipe.pexpire(index, ms(self._lifetime))
            await pipe.execute()

    async def live(self, owner: str) -> dict[UUID, Live]:
        """Deliveries whose codes may still be good."""
        found = await self._store.hgetall(f"codes:{owner}")
        pairs = {UUID(text(key)): text(value).partition(" ") for key, value in found.items()}
        return {key: Live(tenant, kid) for key, (tenant, _, kid) in pairs.items()}

    async def guess(self, digests: Mapping[UUID, str]) -> UUID | None:
        """The delivery whose code this is, or None; one try of each is used up.

        Args:
            digests: For each delivery, the digest that the presented code would have there.
        """
        if not digests:
            return None
        deliveries = list(digests)
        place = await self._guess(
            keys=[f"code:{one}" for one in deliveries],
            args=[self._tries, *digests.values()],
        )
        return deliveries[int(place) - 1] if place else None
