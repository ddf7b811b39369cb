"""A mail sender in a process of its own, which a test can lose for real.

``python -m support.sender_process <database> <worker database> <SMTP port> <connections>``
"""

import asyncio
import sys

from kourse.kit.db import Database
from kourse.notification.service.ports import Contact
from kourse.notification.service.sender import Sender
from kourse.notification.service.smtp import SmtpMailer
from kourse.notification.settings import NotificationSettings


class EverybodysBook:
    """Knows an address for everybody, and no secrets."""

    async def contacts(self, _tenant, user_ids):
        return {one: Contact(f"{one.hex}@school.example", True, "Ana", "en") for one in user_ids}

    async def redeem(self, _tenant, _delivery_id):
        return None


async def send(database_url, worker_url, smtp_port, connections):
    settings = NotificationSettings(
        port=0, smtp_port=smtp_port, smtp_starttls=False, sender_connections=connections
    )
    sender = Sender(
        Database(database_url, "notification"),
        Database(worker_url, "notification"),
        book=EverybodysBook(),
        mailer=SmtpMailer(settings),
        settings=settings,
    )
    await sender.run()


if __name__ == "__main__":
    asyncio.run(send(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
