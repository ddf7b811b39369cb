"""A sender that runs: what it does while mails are stuck, when the database is away, and when it is stopped."""

import asyncio
from uuid import uuid4

import pytest

from integration.notification.test_sender import STATES, nothing_else_is_due, welcome
from kourse.contracts.errors import Unavailable
from kourse.notification.domain.kinds import Lane
from kourse.notification.repository import deliveries
from support.waiting import LONG_S, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

__all__ = ["nothing_else_is_due"]


class EndError(Exception):
    """Ends a loop that has no end."""


class TestRun:
    async def test_settles_the_mail_in_hand_before_it_stops(self, bus, book, sender_of, smtp, sql):
        people = [uuid4(), uuid4()]
        for user_id in people:
            await welcome(bus, user_id)
            book.add(user_id)
        smtp.may_answer.clear()
        running = asyncio.ensure_future(sender_of(smtp, sender_connections=1).run())
        await smtp.arrived.wait()

        running.cancel()
        smtp.may_answer.set()
        await asyncio.gather(running, return_exceptions=True)

        assert len(smtp.mails) == 1
        assert [state for one in people for state, _ in sql(STATES, one)].count("sent") == 1

    async def test_goes_on_after_the_database_was_away(self, sender_of, smtp, monkeypatch):
        asked = []

        async def failing_once(_worker, lane, **_how):
            if lane is not Lane.OWN:
                return []
            asked.append(lane)
            if len(asked) == 1:
                raise Unavailable("the database is down")
            if len(asked) > 2:
                raise EndError
            return []

        monkeypatch.setattr(deliveries, "claim_due", failing_once)
        with pytest.raises(ExceptionGroup) as ended:
            await asyncio.wait_for(sender_of(smtp, sender_poll_s=0.01).run(), LONG_S)

        assert ended.group_contains(EndError)
        assert len(asked) == 3

    async def test_takes_what_comes_up_while_a_mail_of_the_round_before_is_stuck(
        self, bus, book, sender_of, smtp
    ):
        stuck, *others = (uuid4() for _ in range(4))
        await welcome(bus, stuck, locale="de")
        for user_id in (stuck, *others):
            book.add(user_id, locale="de" if user_id == stuck else "en")
        smtp.stuck = "Willkommen bei kourse"
        running = asyncio.ensure_future(sender_of(smtp, sender_connections=2).run())
        await smtp.arrived.wait()

        for user_id in others:
            await welcome(bus, user_id)
        await until(lambda: len(smtp.mails) == len(others))
        assert smtp.stuck not in {mail["Subject"] for mail in smtp.mails}

        smtp.may_answer.set()
        await until(lambda: len(smtp.mails) == len(others) + 1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def test_has_no_more_mails_in_hand_than_connections(self, bus, book, sender_of, smtp):
        people = [uuid4() for _ in range(6)]
        for user_id in people:
            await welcome(bus, user_id)
            book.add(user_id)
        smtp.may_answer.clear()
        how = {"sender_connections": 2, "sender_batch": 3}
        running = asyncio.ensure_future(sender_of(smtp, **how).run())
        await until(lambda: smtp.in_hand == 2)
        running.cancel()
        smtp.may_answer.set()
        await asyncio.gather(running, return_exceptions=True)

        assert len(smtp.mails) == 2
        assert smtp.connections == 2
