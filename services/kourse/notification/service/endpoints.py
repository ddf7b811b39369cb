"""Webhooks as their owners manage them: addresses, secrets, tests, the log, and calls made again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import NotFound
from kourse.kit.runtime import Runtime
from kourse.kit.vault import Vault
from kourse.notification.domain import webhooks as rules
from kourse.notification.domain.webhooks import Disabled
from kourse.notification.errors import (
    DeliveryPending,
    TooManyWebhooks,
    WebhookDisabled,
    WebhookRefused,
)
from kourse.notification.repository import calls, webhooks
from kourse.notification.repository.calls import Delivery
from kourse.notification.repository.webhooks import Webhook

Position = tuple[datetime, UUID]


@dataclass(frozen=True)
class Wish:
    """A new endpoint.

    Attributes:
        kinds: Kinds that it wants; None for all.
    """

    url: str
    description: str
    kinds: Sequence[str] | None


def vault_of(runtime: Runtime) -> Vault:
    """The vault of the endpoints' secrets; one without a key where the installation has none."""
    vault: Vault | None = runtime.extras.get("vault")
    if vault is None:
        vault = runtime.extras["vault"] = Vault.load(runtime.settings.data_key_file, "webhook")
    return vault


def check(url: str, *, plain_http: bool) -> None:
    """Returns when an endpoint may have the address; where it leads is judged at each call.

    Raises:
        WebhookRefused: It may not.
    """
    if (wrong := rules.what_is_wrong(url, plain_http=plain_http)) is not None:
        raise WebhookRefused(wrong)


async def add(tx: AsyncSession, vault: Vault, user_id: UUID, wish: Wish) -> tuple[Webhook, str]:
    """A new endpoint of the person's and its secret, which nobody is shown again.

    Raises:
        TooManyWebhooks: They have as many as they may.
        Unavailable: Secrets cannot be sealed here.
    """
    await webhooks.lock_person(tx, user_id)
    if await webhooks.count(tx, user_id) >= rules.MOST_WEBHOOKS:
        raise TooManyWebhooks(f"{rules.MOST_WEBHOOKS} are the most; delete one first.")
    webhook_id, secret = uuid4(), rules.new_secret()
    made = await webhooks.add(
        tx,
        {
            "id": webhook_id,
            "user_id": user_id,
            "url": wish.url,
            "description": wish.description,
            "kinds": None if wish.kinds is None else list(wish.kinds),
            "sealed": vault.seal(secret, bound_to=str(webhook_id)),
        },
    )
    return made, rules.shown(secret)


async def list_own(
    tx: AsyncSession, user_id: UUID, *, after: Position | None, limit: int
) -> list[Webhook]:
    """The person's endpoints, newest first."""
    return await webhooks.list_own(tx, user_id, after=after, limit=limit)


async def read(tx: AsyncSession, user_id: UUID, webhook_id: UUID) -> Webhook:
    """The person's endpoint.

    Raises:
        NotFound: They have no such.
    """
    return await _own(tx, user_id, webhook_id)


async def change(
    tx: AsyncSession, user_id: UUID, webhook_id: UUID, values: dict[str, Any]
) -> Webhook:
    """The endpoint with these values.

    Args:
        tx: The transaction.
        user_id: The owner.
        webhook_id: The endpoint.
        values: Of ``url``, ``description``, ``kinds`` and ``enabled`` those that change. One that is
            enabled is called again as if it had never failed; one that is not gets nothing any more.

    Raises:
        NotFound: They have no such.
    """
    before = await _own(tx, user_id, webhook_id, lock=True)
    values = dict(values)
    enabled = values.pop("enabled", None)
    if enabled is True and before.disabled is not None:
        values |= webhooks.enabled()
    changed = await webhooks.change(tx, webhook_id, values) if values else before
    if enabled is False and await webhooks.disable(tx, webhook_id, Disabled.OWNER):
        await calls.drop_pending(tx, webhook_id, "disabled")
        changed = await _own(tx, user_id, webhook_id)
    return changed


async def remove(tx: AsyncSession, user_id: UUID, webhook_id: UUID) -> None:
    """The endpoint is gone with its secret and its log.

    Raises:
        NotFound: They have no such.
    """
    await _own(tx, user_id, webhook_id, lock=True)
    await webhooks.remove(tx, webhook_id)


async def rotate(
    tx: AsyncSession, vault: Vault, user_id: UUID, webhook_id: UUID
) -> tuple[Webhook, str]:
    """The endpoint and its new secret; the one before signs too for a day.

    Raises:
        NotFound: They have no such.
        Unavailable: Secrets cannot be sealed here.
    """
    old = await _own(tx, user_id, webhook_id, lock=True)
    secret = rules.new_secret()
    sealed = vault.seal(secret, bound_to=str(webhook_id))
    return await webhooks.rotate(tx, old, sealed, rules.OVERLAP), rules.shown(secret)


async def ping(tx: AsyncSession, user_id: UUID, webhook_id: UUID) -> Delivery:
    """A delivery that says nothing, on its way to the endpoint.

    Raises:
        NotFound: They have no such.
        WebhookDisabled: It is not called.
    """
    await _called(tx, user_id, webhook_id)
    return await _delivery(tx, webhook_id, await calls.add_test(tx, webhook_id))


async def list_log(
    tx: AsyncSession, user_id: UUID, webhook_id: UUID, *, after: Position | None, limit: int
) -> list[Delivery]:
    """What was and is to be delivered to the endpoint, newest first.

    Raises:
        NotFound: They have no such.
    """
    await _own(tx, user_id, webhook_id)
    return await calls.list_log(tx, webhook_id, after=after, limit=limit)


async def redeliver(
    tx: AsyncSession, user_id: UUID, webhook_id: UUID, delivery_id: UUID
) -> Delivery:
    """The delivery, on its way once more under the same id.

    Raises:
        NotFound: They have no such endpoint, or it no such delivery.
        WebhookDisabled: The endpoint is not called.
        DeliveryPending: It is on its way already.
    """
    await _called(tx, user_id, webhook_id)
    await _delivery(tx, webhook_id, delivery_id)
    if not await calls.again(tx, delivery_id):
        raise DeliveryPending("Wait for what comes of it.")
    return await _delivery(tx, webhook_id, delivery_id)


async def _own(tx: AsyncSession, user_id: UUID, webhook_id: UUID, *, lock: bool = False) -> Webhook:
    found = await webhooks.find(tx, user_id, webhook_id, lock=lock)
    if found is None:
        raise NotFound("You have no such webhook.")
    return found


async def _called(tx: AsyncSession, user_id: UUID, webhook_id: UUID) -> None:
    if (await _own(tx, user_id, webhook_id, lock=True)).disabled is not None:
        raise WebhookDisabled("Enable it first.")


async def _delivery(tx: AsyncSession, webhook_id: UUID, delivery_id: UUID) -> Delivery:
    found = await calls.find(tx, webhook_id, delivery_id)
    if found is None:
        raise NotFound("This webhook has no such delivery.")
    return found
