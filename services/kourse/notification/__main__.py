"""Builds notification and serves it."""

from __future__ import annotations

from kourse.kit import sweeping
from kourse.kit.runtime import Runtime, Service, run
from kourse.notification import api, rpc
from kourse.notification.consumers import handlers
from kourse.notification.schemas.messages import NotificationView
from kourse.notification.service import broadcasting
from kourse.notification.service.address_book import IdentityAddressBook
from kourse.notification.service.calling import HttpCaller
from kourse.notification.service.digesting import Digesting
from kourse.notification.service.endpoints import vault_of
from kourse.notification.service.hooking import Hooking
from kourse.notification.service.judging import judge_forever
from kourse.notification.service.reminding import Reminding
from kourse.notification.service.sender import Sender
from kourse.notification.service.smtp import SmtpMailer
from kourse.notification.service.streaming import end_streams, listen_for_hints
from kourse.notification.settings import NotificationSettings


async def send_mail(runtime: Runtime) -> None:
    """Sends what is due until cancelled."""
    settings: NotificationSettings = runtime.settings
    sender = Sender(
        runtime.database,
        runtime.worker_database,
        book=IdentityAddressBook(lambda: runtime.rpc("identity")),
        mailer=SmtpMailer(settings),
        settings=settings,
    )
    await sender.run()


async def call_webhooks(runtime: Runtime) -> None:
    """Calls webhooks until cancelled."""
    settings: NotificationSettings = runtime.settings
    hooking = Hooking(
        runtime.database,
        runtime.worker_database,
        vault=vault_of(runtime),
        caller=HttpCaller(
            timeout_s=settings.webhook_timeout_s, permitted=settings.webhook_networks
        ),
        shown=lambda entry: NotificationView.of(entry).model_dump(mode="json", by_alias=True),
        settings=settings,
    )
    await hooking.run()


async def broadcast(runtime: Runtime) -> None:
    """Tells those of large courses who are still to be told, until cancelled."""
    await sweeping.repeat(
        lambda: broadcasting.sweep(runtime.database, runtime.worker_database),
        runtime.settings.sender_poll_s,
    )


async def remind(runtime: Runtime) -> None:
    """Reminds of dates until cancelled."""
    settings: NotificationSettings = runtime.settings
    reminding = Reminding(runtime.database, runtime.worker_database)
    await sweeping.repeat(reminding.round, settings.reminder_poll_s)


async def digest(runtime: Runtime) -> None:
    """Sends weekly digests until cancelled."""
    settings: NotificationSettings = runtime.settings
    digesting = Digesting(runtime.database, runtime.worker_database)
    await sweeping.repeat(digesting.round, settings.reminder_poll_s)


def service(settings: NotificationSettings) -> Service:
    """Notification with these settings, ready to run."""
    return Service(
        settings=settings,
        title="kourse notification",
        routers=[api.router],
        servicers=(rpc.register,),
        handlers=handlers,
        tasks=(
            send_mail,
            broadcast,
            judge_forever,
            remind,
            digest,
            call_webhooks,
            listen_for_hints,
            end_streams,
        ),
    )


if __name__ == "__main__":
    run(service(NotificationSettings.load()))
