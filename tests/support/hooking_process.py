"""A caller of webhooks in a process of its own, which a test can lose for real.

``python -m support.hooking_process <database> <worker database> <file of the data key> <timeout in seconds>``
"""

import asyncio
import sys
from ipaddress import ip_network
from pathlib import Path

from kourse.kit.db import Database
from kourse.kit.vault import Vault
from kourse.notification.schemas.messages import NotificationView
from kourse.notification.service.calling import HttpCaller
from kourse.notification.service.hooking import Hooking
from kourse.notification.settings import NotificationSettings


async def call(database_url, worker_url, key, timeout_s):
    networks = [ip_network("127.0.0.0/8")]
    await Hooking(
        Database(database_url, "notification"),
        Database(worker_url, "notification"),
        vault=Vault(key, "webhook"),
        caller=HttpCaller(timeout_s=timeout_s, permitted=networks),
        shown=lambda entry: NotificationView.of(entry).model_dump(mode="json", by_alias=True),
        settings=NotificationSettings(
            port=0, webhook_networks=networks, webhook_timeout_s=timeout_s, webhook_poll_s=0.02
        ),
    ).run()


if __name__ == "__main__":
    key = Path(sys.argv[3]).read_bytes()
    asyncio.run(call(sys.argv[1], sys.argv[2], key, float(sys.argv[4])))
