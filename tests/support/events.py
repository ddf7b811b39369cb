"""A producer and a consumer on the real backbone, whose effects a test can count."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.event import listen

from kourse.contracts.events import GroupJoined
from kourse.kit.bus import Broker
from kourse.kit.inbox import Consumer, Handlers, Pace
from kourse.kit.inbox.cursor import Arrival
from kourse.kit.outbox import Relay, emit
from support.waiting import LONG_S

TENANT = "demo"
NAMESPACE = UUID(int=1)
PACE = Pace(lease_s=6, renew_s=0.2, look_s=0.2)
"""Quick, so that a test need not wait for what time brings."""
_EFFECT = text("INSERT INTO course.thing (tenant, name) VALUES (:tenant, :name)")


def joined(cohort_id, number):
    """The event number ``number`` of a cohort; the cohort's name carries it."""
    return GroupJoined(
        cohort_id=cohort_id, cohort=f"n{number}", learner_id=UUID(int=number), courses=[]
    )


async def emit_joined(database, cohort_id, numbers, tenant=TENANT):
    """One transaction for each event; their ids."""
    ids = []
    for number in numbers:
        async with database.transaction(tenant) as tx:
            ids.append(await emit(tx, joined(cohort_id, number)))
    return ids


def headers(cohort, seq, **changes):
    """AMQP headers of an event of a cohort, as the relay writes them."""
    begun = datetime.now(UTC) + timedelta(minutes=1)
    attributes = {
        "specversion": "1.0",
        "id": str(uuid5(NAMESPACE, f"{cohort}/{seq}")),
        "type": "profile.group.joined",
        "source": "/kourse/profile",
        "subject": str(cohort),
        "time": begun.isoformat(),
        "tenant": "demo",
        "stream": "group",
        "sequence": seq,
        "sequencestart": begun.isoformat(),
        "dataschema": "https://kourse.dev/schemas/profile.group.joined/1",
        **changes,
    }
    return {f"cloudEvents:{k}": v for k, v in attributes.items() if v is not None}


def arrival(cohort, seq, body=None, **changes):
    """An event of a cohort as it comes from the broker."""
    body = body or joined(cohort, seq).model_dump_json().encode()
    return Arrival.of(headers(cohort, seq, **changes), body)


class Failing:
    """Fails for good at these numbers."""

    def __init__(self, *numbers):
        self._numbers = numbers

    def __call__(self, number):
        if number in self._numbers:
            raise ZeroDivisionError


class Effects:
    """Applies ``GroupJoined`` in the course service, and remembers the order.

    Attributes:
        applied: ``(cohort id, number)`` of each event whose effect was committed, in that order.
        failing: Called with the number before the effect is written; it may raise.
    """

    def __init__(self):
        self.applied = []
        self.failing = lambda _number: None

    @property
    def handlers(self):
        handlers = Handlers("course")

        @handlers.on(GroupJoined)
        async def apply(tx, event, delivery):
            number = int(event.cohort[1:])
            self.failing(number)
            name = f"{event.cohort_id}/{number}"
            await tx.execute(_EFFECT, {"tenant": delivery.tenant, "name": name})
            self._note_when_committed(tx, (event.cohort_id, number))

        return handlers

    def _note_when_committed(self, tx, effect):
        def note(_session):
            self.applied.append(effect)

        listen(tx.sync_session, "after_commit", note, once=True)

    def numbers(self, cohort_id):
        return [number for cohort, number in self.applied if cohort == cohort_id]


@contextlib.asynccontextmanager
async def running(*loops):
    """Relays and consumers run until the end of the block, then stop as in a service."""
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        yield
    finally:
        await asyncio.wait_for(asyncio.gather(*(loop.stop() for loop in loops)), LONG_S)
        await asyncio.gather(*tasks)


@contextlib.asynccontextmanager
async def backbone(course, profile_worker, broker_url, effects):
    """Profile's relay and course's consumer over one virtual host."""
    broker = Broker(broker_url, name="test")
    relay = Relay(profile_worker, broker)
    consumer = Consumer(course, broker, effects.handlers, pace=PACE)
    try:
        async with running(relay, consumer):
            yield relay
    finally:
        await broker.close()
