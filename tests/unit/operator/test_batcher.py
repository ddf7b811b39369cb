"""Single pieces of work join into batches, and one bad piece spoils no other."""

import asyncio

import pytest

from kourse.contracts.errors import Unavailable
from kourse_operator.engine.batcher import Batcher


class Recorder:
    def __init__(self):
        self.batches = []
        self.called = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.poison = None

    async def __call__(self, group, items):
        self.batches.append((group, list(items)))
        self.called.set()
        await self.gate.wait()
        if self.poison in items:
            raise RuntimeError("poison")
        return [item * 10 for item in items]


class TestSubmit:
    async def test_joins_what_comes_together(self):
        record = Recorder()
        batcher = Batcher(record, size=100)
        outcomes = await asyncio.gather(*(batcher.submit("g", n) for n in range(5)))
        assert outcomes == [0, 10, 20, 30, 40]
        assert record.batches == [("g", [0, 1, 2, 3, 4])]

    async def test_gathers_while_a_call_is_under_way(self):
        record = Recorder()
        record.gate.clear()
        batcher = Batcher(record, size=100)
        first = asyncio.create_task(batcher.submit("g", 1))
        await record.called.wait()
        rest = [asyncio.create_task(batcher.submit("g", n)) for n in (2, 3)]
        await asyncio.sleep(0)
        record.gate.set()
        assert await asyncio.gather(first, *rest) == [10, 20, 30]
        assert [items for _, items in record.batches] == [[1], [2, 3]]

    async def test_keeps_groups_apart(self):
        record = Recorder()
        batcher = Batcher(record, size=100)
        await asyncio.gather(batcher.submit("g", 1), batcher.submit("h", 2))
        assert sorted(record.batches) == [("g", [1]), ("h", [2])]

    async def test_never_exceeds_the_size(self):
        record = Recorder()
        batcher = Batcher(record, size=2)
        await asyncio.gather(*(batcher.submit("g", n) for n in range(5)))
        assert [len(items) for _, items in record.batches] == [2, 2, 1]

    async def test_tries_one_by_one_when_a_batch_fails_unexpectedly(self):
        record = Recorder()
        record.poison = 2
        batcher = Batcher(record, size=100)
        outcomes = await asyncio.gather(
            *(batcher.submit("g", n) for n in (1, 2, 3)), return_exceptions=True
        )
        assert outcomes[0] == 10
        assert isinstance(outcomes[1], RuntimeError)
        assert outcomes[2] == 30

    async def test_fails_all_at_once_when_the_back_end_is_down(self):
        calls = []

        async def down(group, items):
            calls.append(items)
            raise Unavailable("down")

        batcher = Batcher(down, size=100)
        outcomes = await asyncio.gather(
            *(batcher.submit("g", n) for n in range(3)), return_exceptions=True
        )
        assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
        assert len(calls) == 1

    async def test_goes_on_after_a_failure(self):
        record = Recorder()
        record.poison = 1
        batcher = Batcher(record, size=100)
        with pytest.raises(RuntimeError):
            await batcher.submit("g", 1)
        assert await batcher.submit("g", 2) == 20
