"""Sending, with a mail server that behaves in every way and senders that die."""

import asyncio
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest

from integration.notification.test_events import enrolment, published
from kourse.contracts import events
from kourse.kit import faults
from kourse.notification.domain.kinds import Lane
from kourse.notification.repository import deliveries
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

STATES = (
    "SELECT d.state, d.outcome FROM notification.delivery d JOIN notification.notification n"
    " ON n.id = d.notification_id WHERE n.user_id = %s ORDER BY d.created_at"
)
ALWAYS_QUIET = (
    "UPDATE notification.recipient SET quiet_starts = '00:00', quiet_ends = '00:00'"
    " WHERE user_id = %s"
)
PAST = "UPDATE notification.delivery SET due_at = clock_timestamp() WHERE state = 'pending'"


@pytest.fixture(autouse=True)
def nothing_else_is_due(sql):
    sql("DELETE FROM notification.notification")


async def welcome(bus, user_id, **more):
    await bus.send(events.UserRegistered(user_id=user_id, display_name="Ana", **more))


class TestRound:
    async def test_mails_what_is_due_to_the_address_of_that_moment(
        self, bus, book, sender_of, smtp, sql
    ):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id, email="ana@new.example", locale="de")

        assert await sender_of(smtp).round() == 1

        (mail,) = smtp.mails
        assert mail.recipient == "ana@new.example"
        assert mail["Subject"] == "Willkommen bei kourse"
        assert "demo/" in mail["List-Unsubscribe"]
        assert sql(STATES, user_id) == [("sent", "accepted")]

    async def test_sends_nothing_twice(self, bus, book, sender_of, smtp):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id)
        sender = sender_of(smtp)

        assert [await sender.round(), await sender.round()] == [1, 0]
        assert len(smtp.mails) == 1

    async def test_sends_each_once_when_several_senders_run(self, bus, book, sender_of, smtp):
        people = [uuid4() for _ in range(30)]
        for user_id in people:
            await welcome(bus, user_id)
            book.add(user_id)

        counts = await asyncio.gather(*(sender_of(smtp, sender_batch=7).round() for _ in range(6)))

        assert sum(counts) == 30
        assert sorted(mail.recipient for mail in smtp.mails) == sorted(
            book.people[one].email for one in people
        )

    async def test_sends_somebodys_own_message_before_a_broadcast(self, bus, book, sender_of, smtp):
        course_id, learner, other = uuid4(), uuid4(), uuid4()
        await bus.send(enrolment(learner, course_id))
        book.add(learner)
        book.add(other)
        await sender_of(smtp).round()
        await bus.send(published(course_id, version=2))
        await welcome(bus, other)
        await bus.send(events.PasswordReset(user_id=other))

        await sender_of(smtp, sender_connections=1).round()

        assert [mail["Subject"] for mail in smtp.mails[1:]] == [
            "Your password was changed",
            "Welcome to kourse",
            "Statistics was updated",
        ]

    async def test_keeps_its_connections_and_replaces_those_that_broke(
        self, bus, book, sender_of, smtp, sql
    ):
        sender = sender_of(smtp, sender_connections=1)
        for answer in (None, None, "die", None):
            user_id = uuid4()
            await welcome(bus, user_id)
            book.add(user_id)
            smtp.answers["DATA"] = [answer] if answer else []
            await sender.round()

        assert len(smtp.mails) == 4
        assert smtp.connections == 2

    async def test_sends_somebodys_own_message_while_a_broadcast_is_stuck(
        self, bus, book, sender_of, smtp, sql
    ):
        course_id, learner, other = uuid4(), uuid4(), uuid4()
        await bus.send(enrolment(learner, course_id))
        book.add(learner)
        book.add(other)
        await sender_of(smtp).round()
        smtp.mails.clear()
        smtp.arrived.clear()
        smtp.stuck = "Statistics was updated"
        await bus.send(published(course_id, version=2))
        running = asyncio.ensure_future(sender_of(smtp, sender_connections=1).run())
        await smtp.arrived.wait()

        await welcome(bus, other)
        await until(lambda: [mail["Subject"] for mail in smtp.mails] == ["Welcome to kourse"])

        smtp.may_answer.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def test_drops_what_is_for_nobody_here(self, bus, sender_of, smtp, sql):
        user_id = uuid4()
        await welcome(bus, user_id)

        await sender_of(smtp).round()

        assert (smtp.mails, sql(STATES, user_id)) == ([], [("dropped", "no-contact")])

    async def test_drops_what_is_not_wanted_but_for_security(self, bus, book, sender_of, smtp, sql):
        user_id = uuid4()
        await welcome(bus, user_id)
        await bus.send(events.PasswordReset(user_id=user_id))
        book.add(user_id)
        sql("UPDATE notification.recipient SET wants_mail = false WHERE user_id = %s", user_id)

        await sender_of(smtp).round()

        assert [mail["Subject"] for mail in smtp.mails] == ["Your password was changed"]
        assert sql(STATES, user_id)[0] == ("dropped", "unwanted")

    async def test_drops_mail_of_a_kind_that_was_refused(self, bus, book, sender_of, smtp, sql):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id)
        sql(
            "UPDATE notification.recipient SET refused = '{welcome/email}' WHERE user_id = %s",
            user_id,
        )

        await sender_of(smtp).round()

        assert (smtp.mails, sql(STATES, user_id)) == ([], [("dropped", "unwanted")])

    async def test_lets_mail_wait_for_the_end_of_quiet_hours_but_for_security(
        self, bus, book, sender_of, smtp, sql
    ):
        user_id = uuid4()
        await welcome(bus, user_id)
        await bus.send(events.PasswordReset(user_id=user_id))
        book.add(user_id)
        sql(ALWAYS_QUIET, user_id)

        await sender_of(smtp).round()
        assert [mail["Subject"] for mail in smtp.mails] == ["Your password was changed"]
        assert sql(STATES, user_id)[0] == ("pending", "quiet-hours")
        assert sql(
            "SELECT bool_or(due_at > clock_timestamp()) FROM notification.delivery"
            " WHERE state = 'pending'"
        ) == [(True,)]

        sql("UPDATE notification.recipient SET quiet_starts = NULL, quiet_ends = NULL")
        sql(PAST)
        await sender_of(smtp).round()
        assert sql(STATES, user_id)[0] == ("sent", "accepted")

    async def test_sends_one_person_so_many_a_day_and_the_others_later(
        self, bus, book, sender_of, smtp, sql
    ):
        user_id = uuid4()
        await welcome(bus, user_id)
        for _ in range(3):
            await bus.send(enrolment(user_id, uuid4()))
        book.add(user_id)
        sender = sender_of(smtp, mail_per_day=2)

        await sender.round()
        await bus.send(events.PasswordReset(user_id=user_id))
        sql(PAST)
        await sender.round()
        sent, waiting = ("sent", "accepted"), ("pending", "enough-for-a-day")
        assert sorted(sql(STATES, user_id)) == [waiting, waiting, sent, sent, sent]

        sql("UPDATE notification.delivery SET settled_at = settled_at - interval '1 day'")
        sql(PAST)
        await sender.round()
        assert sql(STATES, user_id) == [sent] * 5

    async def test_holds_mail_until_the_address_is_verified(self, bus, book, sender_of, smtp, sql):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id, is_verified=False)
        sender = sender_of(smtp)
        await sender.round()
        assert (smtp.mails, sql(STATES, user_id)) == ([], [("pending", "unverified")])

        book.add(user_id)
        await bus.send(events.EmailVerified(user_id=user_id))
        await sender.round()

        assert [mail["Subject"] for mail in smtp.mails] == ["Welcome to kourse"]

    async def test_does_not_make_mail_wait_that_it_held_when_the_address_was_verified(
        self, bus, book, sender_of, smtp
    ):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id, is_verified=False)
        verified = partial(bus.send, events.EmailVerified(user_id=user_id))
        faults.arm("sender.claimed", verified)
        sender = sender_of(smtp)
        try:
            await sender.round()
        finally:
            faults.disarm()
        assert smtp.mails == []

        book.add(user_id)
        await sender.round()

        assert [mail["Subject"] for mail in smtp.mails] == ["Welcome to kourse"]

    async def test_mails_a_code_that_identity_hands_out_at_that_moment(
        self, bus, book, sender_of, smtp
    ):
        user_id, delivery_id = uuid4(), uuid4()
        await bus.send(events.VerificationRequested(user_id=user_id, delivery_id=delivery_id))
        book.secrets[delivery_id] = "012345"

        await sender_of(smtp).round()

        (mail,) = smtp.mails
        assert mail.recipient == "new@school.example"
        assert "012345" in mail.get_body(("plain",)).get_content()
        assert mail["List-Unsubscribe"] is None
        assert "Stranger" not in mail.as_string()

    async def test_drops_a_code_that_is_needed_no_more(self, bus, sender_of, smtp, sql):
        user_id = uuid4()
        await bus.send(events.VerificationRequested(user_id=user_id, delivery_id=uuid4()))

        await sender_of(smtp).round()

        assert sql(STATES, user_id) == [("dropped", "needed-no-more")]

    async def test_lets_no_broken_letter_stop_the_others(self, bus, book, sender_of, smtp, sql):
        broken, fine = uuid4(), uuid4()
        for user_id in (broken, fine):
            await bus.send(enrolment(user_id, uuid4()))
            book.add(user_id)
        sql("UPDATE notification.notification SET params = '{}' WHERE user_id = %s", broken)

        await sender_of(smtp).round()

        assert [mail.recipient for mail in smtp.mails] == [book.people[fine].email]
        assert sql(STATES, broken) == [("pending", "error")]

    async def test_waits_for_identity(self, bus, book, sender_of, smtp, sql):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id)
        book.is_down = True
        sender = sender_of(smtp)
        await sender.round()
        assert sql(STATES, user_id) == [("pending", "unavailable")]

        book.is_down = False
        sql(PAST)
        await sender.round()

        assert len(smtp.mails) == 1


class TestMailServer:
    async def test_that_is_down_delays_mail_and_loses_none(self, bus, book, sender_of, smtp, sql):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id)
        port, smtp.port = smtp.port, 1
        await sender_of(smtp).round()
        assert sql(STATES, user_id) == [("pending", "unavailable")]

        smtp.port = port
        sql(PAST)
        await sender_of(smtp).round()

        assert len(smtp.mails) == 1

    async def test_that_stalls_holds_the_sender_for_a_part_of_its_lease_and_loses_none(
        self, bus, book, sender_of, smtp, sql
    ):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id)
        smtp.may_answer.clear()

        await sender_of(smtp, sender_lease_s=8).round()

        ((state, _),) = sql(STATES, user_id)
        assert state == "pending"
        smtp.may_answer.set()
        sql(PAST)
        await sender_of(smtp).round()
        assert sql(STATES, user_id) == [("sent", "accepted")]
        assert len({mail["Message-ID"] for mail in smtp.mails}) == 1

    @pytest.mark.parametrize("step", ["RCPT", "DATA"])
    async def test_that_refuses_for_good_ends_the_delivery(
        self, bus, book, sender_of, smtp, sql, step
    ):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id)
        smtp.answers[step] = ["550 no such mailbox"]

        await sender_of(smtp).round()

        assert sql(STATES, user_id) == [("failed", "refused")]

    @pytest.mark.parametrize("step", ["RCPT", "DATA"])
    async def test_that_refuses_for_now_delays_this_mail_alone(
        self, bus, book, sender_of, smtp, sql, step
    ):
        people = [uuid4(), uuid4()]
        for user_id in people:
            await welcome(bus, user_id)
            book.add(user_id)
        smtp.answers[step] = ["451 later"]

        await sender_of(smtp).round()

        assert len(smtp.mails) == 1
        assert sorted(sql(STATES, one)[0] for one in people) == [
            ("pending", "unavailable"),
            ("sent", "accepted"),
        ]

    async def test_that_takes_a_mail_and_dies_gets_it_again_under_the_same_id(
        self, bus, book, sender_of, smtp, sql
    ):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id)
        smtp.answers["DATA"] = ["die"]
        await sender_of(smtp).round()
        assert sql(STATES, user_id) == [("pending", "unavailable")]

        sql(PAST)
        await sender_of(smtp).round()

        first, second = smtp.mails
        assert first["Message-ID"] == second["Message-ID"]
        assert sql(STATES, user_id) == [("sent", "accepted")]

    async def test_that_never_takes_it_is_given_up_after_days(
        self, bus, book, sender_of, smtp, sql
    ):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id)
        sql("UPDATE notification.delivery SET created_at = now() - interval '4 days'")
        smtp.answers["RCPT"] = ["451 later"]

        await sender_of(smtp).round()

        assert sql(STATES, user_id) == [("failed", "gave-up-unavailable")]


class TestClaim:
    async def test_of_a_sender_that_died_lapses(self, bus, book, sender_of, smtp, sql, databases):
        user_id = uuid4()
        await welcome(bus, user_id)
        book.add(user_id)
        async with databases[1].transaction(None) as tx:
            (dead,) = await deliveries.claim_due(
                tx, Lane.OWN, limit=10, lease=timedelta(seconds=120)
            )
        sender = sender_of(smtp)
        assert await sender.round() == 0

        sql(PAST)

        assert await sender.round() == 1
        async with databases[0].transaction("demo") as tx:
            late = deliveries.Settlement(
                dead.token, dead.ids[0], deliveries.Settled.SENT, "accepted"
            )
            assert not await deliveries.settle(tx, [late])
        assert len(smtp.mails) == 1

    async def test_takes_only_what_the_worker_may_see(self, databases):
        from sqlalchemy import text
        from sqlalchemy.exc import ProgrammingError

        for query in (
            "SELECT params FROM notification.notification",
            "SELECT user_id FROM notification.recipient",
            "UPDATE notification.delivery SET state = 'sent'",
        ):
            with pytest.raises(ProgrammingError, match="permission denied"):
                async with databases[1].transaction(None) as tx:
                    await tx.execute(text(query))
