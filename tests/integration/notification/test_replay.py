"""A month of a class's events, brought again and again, in any order and in any batches."""

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from integration.notification.test_badges import declaring
from integration.notification.test_events import attempt, lesson, score
from kourse.contracts import events
from kourse.notification.domain import badges, levels, points
from kourse.notification.repository import calendars, ledger, trophies

pytestmark = pytest.mark.asyncio(loop_scope="module")

TENANT = "replayed"
BEGIN = datetime(2027, 3, 1, 8, tzinfo=UTC)
FIRST = {"content", "learner"}
"""Streams whose facts are known before those that they concern, or else what was won too early stays."""
STATE = {
    "points_entry": "id, learner_id, reason, subject, points, earned_at, source_event",
    "won_badge": "learner_id, badge_id, won_at",
    "reached_level": "learner_id, level, reached_at",
    "calendar": "learner_id, since_at, time_zone",
    "badge_sheet": "course_id, version, since_at",
}
"""What the game comes to, by table."""
DEDUCED = (*STATE, "notification", "inbox", "inbox_cursor", "review")


def month(bus):
    """Pairs of event and delivery, as a month brought them: study, exams, moves, two versions."""
    chance = random.Random(8)
    course_id = uuid4()
    facts = [(timedelta(0), course(course_id, 1, 3)), (timedelta(days=12), course(course_id, 2, 5))]
    for _ in range(6):
        facts += studied(uuid4(), course_id, chance)
    facts.sort(key=lambda fact: fact[0])
    return [(event, bus.delivery(event, tenant=TENANT, at=BEGIN + at)) for at, event in facts]


def course(course_id, version, threshold):
    names = ("LessonsCompleted", "ExamsPassed", "PointsEarned", "StreakDays")
    thresholds = (threshold, 1, threshold * 10, 2)
    return declaring(
        course_id,
        *((name.lower(), name, number) for name, number in zip(names, thresholds, strict=True)),
        version=version,
    )


def studied(learner, course_id, chance):
    """One learner's month: when, and what."""
    enrolment_id, exam_id = uuid4(), uuid4()
    for number in range(1, 13):
        at = timedelta(days=number * 2 + chance.random() * 2, hours=chance.random())
        yield at, lesson(learner, course_id, enrolment_id, completed=number, total=12)
    for again in range(2):
        at = timedelta(days=10 + again, hours=chance.random())
        yield at, attempt(learner, exam_id=exam_id)
        yield at + timedelta(days=2), score(learner, exam_id=exam_id)
    zone = chance.choice(["Pacific/Auckland", "America/New_York"])
    yield (
        timedelta(days=15),
        events.SettingsChanged(learner_id=learner, time_zone=zone, locale="en"),
    )


def interleaved(letters, chance):
    """The same events, each entity's in their order, else as they may come."""
    mixed = [letter for letter in letters if letter[1].stream in FIRST]
    entities = {}
    for letter in letters:
        if letter[1].stream not in FIRST:
            entities.setdefault((letter[1].stream, letter[1].entity), []).append(letter)
    queues = list(entities.values())
    while queues:
        mixed.append(chance.choice(queues).pop(0))
        queues = [queue for queue in queues if queue]
    return mixed


def batches(letters, chance):
    """The letters cut at random."""
    while letters:
        size = chance.randint(1, 9)
        yield letters[:size]
        letters = letters[size:]


def learners(letters):
    """Whose month it was."""
    return {event.learner_id for event, delivery in letters if delivery.stream == "enrolment"}


@pytest.fixture
def state(sql):
    """All that the game has come to."""

    def read():
        return {
            table: sorted(
                sql(f"SELECT {columns} FROM notification.{table} WHERE tenant = %s", TENANT)
            )
            for table, columns in STATE.items()
        }

    return read


@pytest.fixture
def forget(sql):
    """Leaves nothing of the tenant, as if nothing had ever come."""

    def erase():
        for table in DEDUCED:
            sql(f"DELETE FROM notification.{table} WHERE tenant = %s", TENANT)

    return erase


class TestMonth:
    async def test_comes_to_the_same_however_it_is_brought(self, bus, judge, state, forget):
        forget()
        letters = month(bus)
        for batch in batches(letters, random.Random(9)):
            await bus.bring(*batch)
            await judge()
        lived = state()
        for seed in range(2):
            chance = random.Random(seed)
            forget()
            for batch in batches(interleaved(letters, chance), chance):
                await bus.bring(*batch)
                if chance.random() < 0.3:
                    await judge()
            await judge()
            assert state() == lived

    async def test_changes_nothing_when_it_is_brought_again(self, bus, sql, judge, state, forget):
        forget()
        letters = month(bus)
        await bus.bring(*letters)
        await judge()
        before, told = state(), count(sql)

        for inbox_forgets in (False, True):
            if inbox_forgets:
                sql("DELETE FROM notification.inbox WHERE tenant = %s", TENANT)
                sql("DELETE FROM notification.inbox_cursor WHERE tenant = %s", TENANT)
            await bus.bring(*letters)
            await judge()
            assert (state(), count(sql)) == (before, told)

    async def test_is_what_the_rules_say_of_its_ledger(self, bus, judge, databases, forget):
        forget()
        letters = month(bus)
        await bus.bring(*letters)
        await judge()

        for learner in learners(letters):
            async with databases[0].transaction(TENANT) as tx:
                found = await ledger.ledger_of(tx, learner)
                total = await ledger.sum_points(tx, learner)
                shown = await ledger.list_counted(tx, learner, after=None, limit=1000)
                calendar = await calendars.calendar_of(tx, learner)
                sheets = await trophies.list_sheets(tx, ["statistics"])
                held = await trophies.list_won(tx, learner)
            counted = points.counted(found)
            ruled = badges.won([badges.PLATFORM, *sheets], found, calendar)
            assert total == sum(one.points for one in counted) >= 12 * 10 + 100 + 5 + 50
            assert {one.id for one in shown} == {one.id for one in counted}
            assert {one.badge_id: one.won_at for one in held} == {
                id_: one.at for id_, one in ruled.items()
            }
            assert len(held) >= 4
            assert max(levels.reached(found)) == levels.level(total)


def count(sql):
    """How many notices and events the month has brought about."""
    notices = sql("SELECT count(*) FROM notification.notification WHERE tenant = %s", TENANT)
    return notices, sql("SELECT count(*) FROM notification.outbox WHERE tenant = %s", TENANT)
