"""The broker's own process is lost while events are on their way: nothing lost, twice or out of order."""

import asyncio
import os
import signal
from uuid import uuid4

import pytest

from hack.stack.broker import rabbitmq
from hack.stack.layout import Layout
from hack.stack.lifecycle import carry_out, stop
from hack.stack.process import Plan
from hack.stack.profiles import locate
from hack.stack.record import Phase, read_record
from support.events import Effects, backbone, emit_joined
from support.waiting import until

ENDS = (signal.SIGKILL, signal.SIGTERM)
"""How the broker is lost, one after the other: without warning, and as for an upgrade."""
COHORTS, EACH = 8, 25
RESTART_S = 240.0
UNPUBLISHED = "SELECT count(*) FROM profile.outbox WHERE published_at IS NULL"


class MortalBroker:
    """A RabbitMQ of the module's own, which its supervisor starts again.

    Attributes:
        url: Where it is.
    """

    def __init__(self, layout):
        self._layout = layout
        with layout.exclusive():
            site = locate(layout, frozenset())
        carry_out(layout, Plan(layout.identity(), tuple(rabbitmq(site))), lambda *_: None)
        self.url = site.broker_url

    @property
    def _entry(self):
        return read_record(self._layout.record_file).entries["rabbitmq"]

    def end(self, number):
        """Sends its process a signal; tells whether another process serves meanwhile."""
        pid = self._entry.pid
        os.kill(pid, number)
        return lambda: self._entry.pid != pid and self._entry.phase is Phase.READY


@pytest.fixture(scope="module")
def mortal(tmp_path_factory):
    state = tmp_path_factory.mktemp("broker") / "state"
    yield MortalBroker(Layout(state))
    stop(state)


@pytest.mark.timeout(900)
class TestBackbone:
    async def test_survives_the_loss_of_the_broker_while_events_are_on_their_way(
        self, mortal, course, profile, profile_worker, admin
    ):
        effects, cohorts = Effects(), [uuid4() for _ in range(COHORTS)]

        async def write(numbers):
            for number in numbers:
                for cohort in cohorts:
                    await emit_joined(profile, cohort, [number])

        async with backbone(course, profile_worker, mortal.url, effects):
            for turn, end in enumerate(ENDS):
                before = len(effects.applied)
                writing = asyncio.create_task(write(range(turn * EACH, (turn + 1) * EACH)))
                await until(lambda before=before: len(effects.applied) > before, RESTART_S)
                serves_again = mortal.end(end)
                await writing
                await until(serves_again, RESTART_S)
            total = COHORTS * EACH * len(ENDS)
            await until(lambda: len(effects.applied) >= total, RESTART_S)
            await until(lambda: admin.execute(UNPUBLISHED).fetchone()[0] == 0, RESTART_S)
        for cohort in cohorts:
            assert effects.numbers(cohort) == list(range(EACH * len(ENDS)))
