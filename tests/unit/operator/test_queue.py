"""The work queue: every key at most once waiting, at most once in hand, never forgotten."""

import asyncio

import pytest

from kourse_operator.engine.queue import QueueClosed, WorkQueue
from kourse_operator.resource import Key

A, B = Key("Course", "demo", "a"), Key("Course", "demo", "b")


async def taken(queue):
    return await asyncio.wait_for(queue.get(), 2)


class TestAdd:
    async def test_gives_a_key_added_twice_once(self):
        queue = WorkQueue()
        queue.add(A)
        queue.add(A)
        assert await taken(queue) == A
        assert len(queue) == 0

    async def test_keeps_the_order_of_arrival(self):
        queue = WorkQueue()
        queue.add(B)
        queue.add(A)
        assert [await taken(queue), await taken(queue)] == [B, A]

    async def test_brings_a_key_in_hand_round_once_more(self):
        queue = WorkQueue()
        queue.add(A)
        await taken(queue)
        queue.add(A)
        queue.add(A)
        assert len(queue) == 0, "it must not be in hand twice"
        queue.done(A)
        assert await taken(queue) == A
        queue.done(A)
        assert A not in queue

    async def test_waits_for_the_delay(self):
        queue = WorkQueue()
        queue.add(A, 0.02)
        queue.add(B)
        assert [await taken(queue), await taken(queue)] == [B, A]

    async def test_prefers_the_earlier_need(self):
        queue = WorkQueue()
        queue.add(A, 300)
        queue.add(A)
        assert await taken(queue) == A
        queue.done(A)
        assert A not in queue

    async def test_keeps_the_earlier_need_when_a_later_one_comes(self):
        queue = WorkQueue()
        queue.add(A, 0.02)
        queue.add(A, 300)
        assert await taken(queue) == A

    async def test_keeps_a_delay_asked_for_while_in_hand(self):
        queue = WorkQueue()
        queue.add(A)
        await taken(queue)
        queue.add(A, 300)
        queue.done(A)
        assert A in queue
        assert len(queue) == 0


class TestForget:
    async def test_drops_waiting_and_delayed_keys(self):
        queue = WorkQueue()
        queue.add(A)
        queue.add(B, 300)
        queue.forget(A)
        queue.forget(B)
        assert A not in queue
        assert B not in queue


class TestClose:
    async def test_ends_whoever_waits(self):
        queue = WorkQueue()
        waiting = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.close()
        with pytest.raises(QueueClosed):
            await waiting

    async def test_begins_nothing_more(self):
        queue = WorkQueue()
        queue.add(A)
        queue.close()
        with pytest.raises(QueueClosed):
            await queue.get()


class TestOldest:
    async def test_tells_how_long_the_first_has_waited(self):
        now = [100.0]
        queue = WorkQueue(clock=lambda: now[0])
        assert queue.oldest_s() == 0
        queue.add(A)
        now[0] += 7
        queue.add(B)
        assert queue.oldest_s() == 7
