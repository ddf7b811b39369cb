"""Webhooks: one's own endpoints, their secrets, their tests and their log."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow
from kourse.kit.db import Transaction
from kourse.kit.http import After, Cursor, Limit, Page
from kourse.kit.idempotency import IdempotencyKey, idempotency
from kourse.kit.runtime import CurrentRuntime
from kourse.notification.api.positions import position
from kourse.notification.schemas import webhooks as schemas
from kourse.notification.service import endpoints
from kourse.notification.service.endpoints import Wish

router = APIRouter(tags=["webhooks"])
Owner = Annotated[Actor, allow(Permission.NOTIFICATION_OWN)]
Key = Annotated[IdempotencyKey, idempotency()]
_ALL = "/v1/notifications/webhooks"
_ONE = f"{_ALL}/{{webhook_id}}"
_LOG = f"{_ONE}/deliveries"


@router.get(_ALL, summary="Your webhooks")
async def list_webhooks(
    tx: Transaction, actor: Owner, limit: Limit = 20, after: After = None
) -> Page[schemas.WebhookView]:
    """Your webhooks, newest first, with how their calls have gone."""
    found = await endpoints.list_own(tx, actor.user_id, after=position(after), limit=limit + 1)
    shown, following = Cursor.page(found, limit, key=lambda one: (one.created_at, one.id))
    return Page(items=[schemas.WebhookView.of(one) for one in shown], next=following)


@router.post(_ALL, status_code=201, summary="Add a webhook")
async def add_webhook(
    runtime: CurrentRuntime, tx: Transaction, actor: Owner, key: Key, body: schemas.NewWebhook
) -> schemas.WebhookSecret:
    """A webhook that is called with your notifications from now on; its secret is shown this once."""
    endpoints.check(body.url, plain_http=runtime.settings.webhook_plain_http)
    wish = Wish(body.url, body.description, body.kinds)
    vault = endpoints.vault_of(runtime)
    made, secret = await endpoints.add(tx, vault, actor.user_id, wish)
    view = schemas.WebhookView.of(made)
    await key.remember(tx, 201, schemas.WebhookSecret(webhook=view, secret=None))
    return schemas.WebhookSecret(webhook=view, secret=secret)


@router.get(_ONE, summary="A webhook")
async def read_webhook(tx: Transaction, actor: Owner, webhook_id: UUID) -> schemas.WebhookView:
    """One of your webhooks."""
    return schemas.WebhookView.of(await endpoints.read(tx, actor.user_id, webhook_id))


@router.patch(_ONE, summary="Change a webhook")
async def change_webhook(
    runtime: CurrentRuntime,
    tx: Transaction,
    actor: Owner,
    key: Key,
    webhook_id: UUID,
    body: schemas.WebhookChange,
) -> schemas.WebhookView:
    """The webhook with the values sent; what waited for one that is disabled is dropped."""
    values = body.values()
    if "url" in values:
        endpoints.check(values["url"], plain_http=runtime.settings.webhook_plain_http)
    changed = await endpoints.change(tx, actor.user_id, webhook_id, values)
    return await key.remember(tx, 200, schemas.WebhookView.of(changed))


@router.delete(_ONE, status_code=204, summary="Delete a webhook")
async def delete_webhook(tx: Transaction, actor: Owner, key: Key, webhook_id: UUID) -> None:
    """The webhook is gone, with its secret and its log."""
    await endpoints.remove(tx, actor.user_id, webhook_id)
    await key.remember(tx, 204, None)


@router.post(f"{_ONE}/secret", summary="Renew a webhook's secret")
async def rotate_webhook_secret(
    runtime: CurrentRuntime, tx: Transaction, actor: Owner, key: Key, webhook_id: UUID
) -> schemas.WebhookSecret:
    """A new secret, shown this once; the one before signs too for 24 hours."""
    vault = endpoints.vault_of(runtime)
    changed, secret = await endpoints.rotate(tx, vault, actor.user_id, webhook_id)
    view = schemas.WebhookView.of(changed)
    await key.remember(tx, 200, schemas.WebhookSecret(webhook=view, secret=None))
    return schemas.WebhookSecret(webhook=view, secret=secret)


@router.post(f"{_ONE}/test", status_code=202, summary="Test a webhook")
async def test_webhook(
    tx: Transaction, actor: Owner, key: Key, webhook_id: UUID
) -> schemas.DeliveryView:
    """A message that says nothing is on its way; its delivery tells what came of it."""
    made = schemas.DeliveryView.of(await endpoints.ping(tx, actor.user_id, webhook_id))
    return await key.remember(tx, 202, made)


@router.get(_LOG, summary="Deliveries to a webhook")
async def list_webhook_deliveries(
    tx: Transaction, actor: Owner, webhook_id: UUID, limit: Limit = 20, after: After = None
) -> Page[schemas.DeliveryView]:
    """What was and is to be delivered, newest first; the last 200 that are settled are kept."""
    found = await endpoints.list_log(
        tx, actor.user_id, webhook_id, after=position(after), limit=limit + 1
    )
    shown, following = Cursor.page(found, limit, key=lambda one: (one.created_at, one.id))
    return Page(items=[schemas.DeliveryView.of(one) for one in shown], next=following)


@router.post(
    f"{_LOG}/{{delivery_id}}/redelivery", status_code=202, summary="Deliver to a webhook again"
)
async def redeliver_to_webhook(
    tx: Transaction, actor: Owner, key: Key, webhook_id: UUID, delivery_id: UUID
) -> schemas.DeliveryView:
    """The message is on its way once more, under the same id."""
    again = await endpoints.redeliver(tx, actor.user_id, webhook_id, delivery_id)
    return await key.remember(tx, 202, schemas.DeliveryView.of(again))
