"""A sender that is lost at each of its fault points: which mails come twice, and that none is missing."""

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.engine import make_url

from integration.notification.test_sender import PAST, STATES, nothing_else_is_due, welcome
from kourse.kit.db import Database
from kourse.notification.service.sender import Sender
from kourse.notification.service.smtp import SmtpMailer
from kourse.notification.settings import NotificationSettings
from support.proxy import Proxy
from support.waiting import LONG_S, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

__all__ = ["nothing_else_is_due"]

TESTS = Path(__file__).parents[2]
CLAIMS = "SELECT claim IS NOT NULL FROM notification.delivery WHERE state = 'pending'"


@pytest.fixture
def lose_sender(scratch, smtp):
    """Runs a sender in a process of its own, which is killed at a fault point."""

    async def lose(point, connections=1):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "support.sender_process"),
            *(scratch.url("kourse_notification"), scratch.url("kourse_notification_worker")),
            *(str(smtp.port), str(connections)),
            cwd=TESTS,
            env={**os.environ, "KOURSE_FAULTS": f"{point}=kill"},
        )
        assert await asyncio.wait_for(process.wait(), LONG_S) == -signal.SIGKILL

    return lose


class TestSenderKilled:
    async def test_after_it_claimed_a_mail_delays_it_by_the_lease(
        self, bus, book, sender_of, smtp, sql, lose_sender
    ):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id)
        await lose_sender("sender.claimed")
        assert smtp.mails == []
        assert sql(CLAIMS) == [(True,)]
        assert await sender_of(smtp).round() == 0

        sql(PAST)
        await sender_of(smtp).round()

        assert len(smtp.mails) == 1
        assert sql(STATES, user_id) == [("sent", "accepted")]

    async def test_after_it_handed_a_mail_over_repeats_that_mail_alone(
        self, bus, book, sender_of, smtp, sql, lose_sender
    ):
        people = [uuid4() for _ in range(3)]
        for user_id in people:
            await welcome(bus, user_id)
            book.add(user_id)
        await lose_sender("sender.handed_over")
        (first,) = smtp.mails

        sql(PAST)
        await sender_of(smtp).round()

        copies = [mail["Message-ID"] for mail in smtp.mails]
        assert copies.count(first["Message-ID"]) == 2
        assert len(set(copies)) == len(people)
        assert len(copies) == len(people) + 1
        assert {sql(STATES, one)[0] for one in people} == {("sent", "accepted")}

    async def test_after_it_handed_mails_over_repeats_at_most_one_for_each_connection(
        self, bus, book, sender_of, smtp, sql, lose_sender
    ):
        people = [uuid4() for _ in range(8)]
        for user_id in people:
            await welcome(bus, user_id)
            book.add(user_id)
        await lose_sender("sender.handed_over", connections=3)
        assert 1 <= len(smtp.mails) <= 3

        sql(PAST)
        await sender_of(smtp).round()

        copies = Counter(mail["Message-ID"] for mail in smtp.mails)
        assert len(copies) == len(people)
        assert max(copies.values()) == 2
        assert list(copies.values()).count(2) <= 3

    async def test_after_it_settled_a_mail_repeats_nothing(
        self, bus, book, sender_of, smtp, sql, lose_sender
    ):
        people = [uuid4() for _ in range(3)]
        for user_id in people:
            await welcome(bus, user_id)
            book.add(user_id)
        await lose_sender("sender.settled")
        assert len(smtp.mails) == 1

        sql(PAST)
        await sender_of(smtp).round()

        copies = [mail["Message-ID"] for mail in smtp.mails]
        assert len(copies) == len(set(copies)) == len(people)


class TestDatabaseAway:
    async def test_while_a_mail_is_handed_over_repeats_nothing(self, bus, book, smtp, sql, scratch):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id)
        address = make_url(scratch.url("kourse_notification"))
        worker = Database(scratch.url("kourse_notification_worker"), "notification")
        settings = NotificationSettings(port=0, smtp_port=smtp.port, smtp_starttls=False)
        async with Proxy(address.host, address.port) as proxy:
            detour = address.set(port=proxy.port).render_as_string(hide_password=False)
            app = Database(detour, "notification")
            mailer = SmtpMailer(settings)
            sender = Sender(app, worker, book=book, mailer=mailer, settings=settings)
            smtp.may_answer.clear()
            round_ = asyncio.ensure_future(sender.round())
            await smtp.arrived.wait()

            await proxy.cut()
            smtp.may_answer.set()
            await until(lambda: len(smtp.mails) == 1)
            await proxy.mend()
            await asyncio.wait_for(round_, LONG_S)
            await mailer.close()
            await app.close()
        await worker.close()

        assert sql(STATES, user_id) == [("sent", "accepted")]
        sql(PAST)
        assert len(smtp.mails) == 1
