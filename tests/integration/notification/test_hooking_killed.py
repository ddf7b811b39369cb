"""Callers of webhooks that are killed in mid-delivery, and receivers that lie to them and to those after them."""

import asyncio
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from integration.notification.test_webhooks import (
    KEY,
    due_now,
    http,
    owner,
    receiver,
    signed,
    tell,
)
from support import receivers
from support.receivers import answering
from support.waiting import LONG_S, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

__all__ = ["http", "owner", "receiver"]

TESTS = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _nothing_of_others(sql):
    """No test calls what another has left."""
    sql("TRUNCATE notification.webhook CASCADE")


@pytest.fixture
def calling(scratch, tmp_path):
    """A process that calls webhooks, until it is left; then it is killed."""
    key = tmp_path / "data-key"
    key.write_bytes(KEY)

    @asynccontextmanager
    async def run(timeout_s=60.0):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "support.hooking_process"),
            *(scratch.url("kourse_notification"), scratch.url("kourse_notification_worker")),
            *(str(key), str(timeout_s)),
            cwd=TESTS,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    return run


async def lose(process):
    """The process is gone, without a word to anybody."""
    process.kill()
    assert await asyncio.wait_for(process.wait(), LONG_S) == -signal.SIGKILL


def ended(owner, webhook_id, state):
    """Whether the webhook's only delivery has come to this."""

    async def look():
        (entry,) = await owner.log(webhook_id)
        return entry["state"] == state

    return look


class TestCallerKilled:
    @pytest.mark.parametrize(
        "lie",
        [receivers.silence, receivers.drip_head, receivers.drip],
        ids=["no-answer", "slow-head", "slow-body"],
    )
    async def test_while_the_receiver_keeps_it_waiting_loses_no_message(
        self, databases, owner, receiver, calling, sql, lie
    ):
        receiver.answer = lie
        webhook_id, secret = await owner.add(receiver.url)
        await tell(databases, owner.id)
        async with calling() as process:
            await until(lambda: receiver.requests)
            await lose(process)
        assert await ended(owner, webhook_id, "pending")()
        assert (await owner.one(webhook_id))["failures"] == 0

        receiver.answer = receivers.OK
        due_now(sql)
        async with calling():
            await until(ended(owner, webhook_id, "delivered"))

        first, again = receiver.requests
        assert first.headers["webhook-id"] == again.headers["webhook-id"]
        assert first.body == again.body
        for request in receiver.requests:
            assert request.headers["webhook-signature"] == signed(request, secret)

    async def test_once_the_receiver_took_the_message_repeats_it_under_the_same_id(
        self, databases, owner, receiver, calling, sql
    ):
        webhook_id, secret = await owner.add(receiver.url)
        await tell(databases, owner.id)
        async with calling() as process:

            async def take_and_kill(writer):
                process.send_signal(signal.SIGSTOP)
                writer.write(receivers.OK)
                await writer.drain()
                process.kill()

            receiver.answer = take_and_kill
            assert await asyncio.wait_for(process.wait(), LONG_S) == -signal.SIGKILL
        assert await ended(owner, webhook_id, "pending")()

        receiver.answer = receivers.OK
        due_now(sql)
        async with calling():
            await until(ended(owner, webhook_id, "delivered"))

        taken, again = receiver.requests
        assert taken.headers["webhook-id"] == again.headers["webhook-id"]
        assert again.headers["webhook-signature"] == signed(again, secret)
        assert (await owner.one(webhook_id))["failures"] == 0

    async def test_is_followed_by_nobody_while_its_claim_lasts(
        self, databases, owner, receiver, calling, sql
    ):
        receiver.answer = receivers.silence
        webhook_id, _ = await owner.add(receiver.url)
        await tell(databases, owner.id)
        async with calling() as process:
            await until(lambda: receiver.requests)
            await lose(process)
        receiver.answer = receivers.OK

        async with calling():
            other_id, _ = await owner.add(receiver.url)
            assert (await owner.send("POST", f"/{other_id}/test"))[0] == 202
            await until(ended(owner, other_id, "delivered"))
            assert await ended(owner, webhook_id, "pending")()

    async def test_leaves_the_endpoints_health_as_its_answers_made_it(
        self, databases, owner, receiver, calling, sql
    ):
        receiver.answer = answering(302, "location: http://127.0.0.1:1/elsewhere")
        webhook_id, _ = await owner.add(receiver.url)
        await tell(databases, owner.id)

        async def has_failed():
            return (await owner.one(webhook_id))["failures"] == 1

        async with calling() as process:
            await until(has_failed)
            receiver.answer = receivers.silence
            due_now(sql)
            await until(lambda: len(receiver.requests) == 2)
            await lose(process)
        (entry,) = await owner.log(webhook_id)
        assert (entry["state"], entry["status"], entry["attempts"]) == ("pending", 302, 2)
        assert await has_failed()

        receiver.answer = answering(410)
        due_now(sql)
        async with calling():
            await until(ended(owner, webhook_id, "failed"))
        assert (await owner.one(webhook_id))["disabled"] == "gone"
        assert len(receiver.requests) == 3
