"""Events that stand aside: seen, mended and verified by REST, on a running consumer and real servers."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from kourse.contracts import names
from kourse.kit.bus import Broker, declare_topology
from kourse.kit.outbox import Relay
from support.client import Client, session_to
from support.events import TENANT, Effects, emit_joined, joined
from support.events import running as looping
from support.serving import Identity, Service, running, serving, settings_of
from support.tokens import LEARNER, Issuer
from support.waiting import until

EVENTS = "/v1/operations/course/events"
DEAD = "/v1/operations/course/dead-letters"
AUDITED = (
    "SELECT action, actor, outcome, detail FROM course.audit_entry WHERE target = %s ORDER BY id"
)
WHY = {"reason": "The cohort was made by mistake."}


class Person:
    """Asks a service with one role, in one tenant."""

    def __init__(self, client, issuer, role, tenant=TENANT):
        self._client = client
        self._headers = {"Authorization": f"Bearer {issuer.token(roles=[role], tenant=tenant)}"}

    async def get(self, path, **params):
        answer = await self._client.get(path, params=params, headers=self._headers)
        return answer.status, await answer.json()

    async def post(self, path, **body):
        answer = await self._client.post(path, json=body, headers=self._headers)
        return answer.status, await answer.json()


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


@pytest.fixture
def effects():
    return Effects()


@pytest.fixture
async def jwks(issuer):
    async with serving(Identity(issuer).app) as url:
        yield f"{url}/.well-known/jwks.json"


@pytest.fixture
async def http(schemas, broker_url, effects, jwks):
    """Course, which consumes with the test's effects, and profile, which serves its archive."""
    course = settings_of(
        "course",
        jwks_url=jwks,
        broker_url=broker_url,
        database_url=schemas.url("kourse_course"),
        worker_database_url=schemas.url("kourse_course_worker"),
    )
    async with (
        running(Service(course, "course", handlers=effects.handlers)) as process,
        session_to(f"http://127.0.0.1:{process.http_port}") as session,
    ):
        client = Client(session)
        client.port = process.http_port
        yield client


@pytest.fixture
def kourse(http, issuer):
    """Runs ``kourse events …`` as a tenant's administrator; its exit status and what it printed."""

    async def run(*words, roles=("tenant-admin",)):
        env = {
            **os.environ,
            "KOURSE_URL": f"http://127.0.0.1:{http.port}",
            "KOURSE_TOKEN": issuer.token(roles=list(roles)),
        }
        words = ["events", *words, "--service", "course"]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kourse.cli", *words, env=env, stdout=pipe, stderr=pipe
        )
        out, err = await process.communicate()
        return process.returncode, (out + err).decode()

    return run


@pytest.fixture
async def producer(schemas, broker_url, jwks):
    profile = settings_of(
        "profile",
        jwks_url=jwks,
        broker_url=broker_url,
        database_url=schemas.url("kourse_profile"),
        worker_database_url=schemas.url("kourse_profile_worker"),
    )
    async with (
        running(Service(profile, "profile")) as process,
        session_to(f"http://127.0.0.1:{process.http_port}") as session,
    ):
        yield Client(session)


@pytest.fixture
def as_(http, issuer):
    return lambda role, tenant=TENANT: Person(http, issuer, role, tenant)


@pytest.fixture
def admin_of_tenant(as_):
    return as_("tenant-admin")


@pytest.fixture
async def broker(broker_url):
    broker = Broker(broker_url, name="test")
    await declare_topology(broker)
    yield broker
    await broker.close()


@pytest.fixture
async def poisoned(profile, profile_worker, broker, effects, admin_of_tenant):
    """A cohort whose second event fails and whose third and fourth wait; and the failed event's id."""
    cohort = uuid4()

    def fail(number):
        if number == 2:
            raise ValueError("cohorts of this size were never thought of")

    effects.failing = fail
    async with looping(Relay(profile_worker, broker)):
        ids = await emit_joined(profile, cohort, range(1, 5))

        async def all_stand_aside():
            _, page = await admin_of_tenant.get(EVENTS, entity=str(cohort))
            return [item["reason"] for item in page["items"]] == ["poison", "blocked", "blocked"]

        await until(all_stand_aside)
    return cohort, ids[1]


@pytest.fixture
def operator(as_):
    return as_("platform-admin")


async def keys_of(operator):
    """The keys of all dead letters."""
    _, page = await operator.get(DEAD)
    return [item["key"] for item in page["items"]]


@pytest.fixture
async def dead_letter(http, broker, operator):
    """The key of a dead letter that is an event of a cohort, and the cohort."""
    cohort, event_id = uuid4(), str(uuid4())
    headers = {
        f"cloudEvents:{name}": value
        for name, value in {
            "id": event_id,
            "type": "profile.group.joined",
            "subject": str(cohort),
            "time": datetime.now(UTC).isoformat(),
            "tenant": TENANT,
            "stream": "group",
            "sequence": 1,
            "sequencestart": datetime.now(UTC).isoformat(),
            "dataschema": "https://kourse.dev/schemas/profile.group.joined/1",
        }.items()
    }
    body = joined(cohort, 1).model_dump_json().encode()
    await broker.publish(names.DEAD_LETTER_EXCHANGE, "course", body, headers=headers)

    async def has_come():
        return event_id in await keys_of(operator)

    await until(has_come)
    return event_id, cohort


class TestLook:
    async def test_lists_what_failed_and_what_waits_behind_it(self, admin_of_tenant, poisoned):
        cohort, event_id = poisoned
        _, page = await admin_of_tenant.get(EVENTS, entity=str(cohort), reason="poison")
        (item,) = page["items"]
        assert (item["eventId"], item["seq"], item["tries"]) == (str(event_id), 2, 5)
        assert "never thought of" in item["error"]
        status, whole = await admin_of_tenant.get(f"{EVENTS}/{event_id}")
        assert status == 200
        assert [one["seq"] for one in whole["behind"]] == [3, 4]
        assert whole["payload"]["cohort"] == "n2"
        assert (whole["lastSeq"], whole["missing"]) == (1, 0)

    async def test_goes_on_where_the_page_before_ended(self, admin_of_tenant, poisoned):
        cohort, _ = poisoned
        _, first = await admin_of_tenant.get(EVENTS, entity=str(cohort), limit=2)
        _, rest = await admin_of_tenant.get(EVENTS, entity=str(cohort), after=first["next"])
        assert [item["seq"] for item in first["items"] + rest["items"]] == [2, 3, 4]

    async def test_shows_nothing_of_another_tenant(self, as_, poisoned):
        cohort, event_id = poisoned
        stranger = as_("tenant-admin", "north")
        _, page = await stranger.get(EVENTS, entity=str(cohort))
        assert page["items"] == []
        for status, problem in (
            await stranger.get(f"{EVENTS}/{event_id}"),
            await stranger.post(f"{EVENTS}/{event_id}/replay"),
            await stranger.post(f"{EVENTS}/{event_id}/drop", **WHY, acceptGap=True),
        ):
            assert (status, problem["code"]) == (404, "not-found")


class TestPermissions:
    @pytest.mark.parametrize("role", ["learner", "teacher", "author"])
    async def test_keep_everybody_out_who_is_no_administrator(self, as_, role):
        person, event = as_(role), f"{EVENTS}/{uuid4()}"
        for status, _ in (
            await person.get(EVENTS),
            await person.get(event),
            await person.post(f"{event}/replay"),
            await person.post(f"{event}/drop", **WHY),
            await person.post(f"{EVENTS}/republish", since="2026-01-01T00:00:00Z"),
        ):
            assert status == 403

    async def test_leave_what_concerns_every_tenant_to_the_platform(self, admin_of_tenant):
        for status, _ in (
            await admin_of_tenant.get(DEAD),
            await admin_of_tenant.post(f"{DEAD}/x/replay"),
            await admin_of_tenant.post(f"{DEAD}/x/drop", **WHY),
            await admin_of_tenant.post(f"{EVENTS}/epoch"),
        ):
            assert status == 403


class TestReplay:
    async def test_takes_the_event_and_those_behind_it_in_order(
        self, admin_of_tenant, poisoned, effects, admin
    ):
        cohort, event_id = poisoned
        effects.failing = lambda _number: None
        status, outcome = await admin_of_tenant.post(f"{EVENTS}/{event_id}/replay")
        assert (status, outcome["done"], outcome["events"]) == (200, True, 3)
        await until(lambda: len(effects.numbers(cohort)) == 4)
        assert effects.numbers(cohort) == [1, 2, 3, 4]
        assert admin.execute(AUDITED, [str(event_id)]).fetchall() == [
            ("event.replay", str(LEARNER), "done", {"events": 3})
        ]
        status, _ = await admin_of_tenant.post(f"{EVENTS}/{event_id}/replay")
        assert status == 404

    async def test_parks_it_again_when_it_still_fails(self, admin_of_tenant, poisoned, effects):
        cohort, event_id = poisoned
        await admin_of_tenant.post(f"{EVENTS}/{event_id}/replay")

        async def failed_again():
            _, whole = await admin_of_tenant.get(f"{EVENTS}/{event_id}")
            return whole["tries"] == 10 and whole["reason"] == "poison"

        await until(failed_again)
        assert effects.numbers(cohort) == [1]

    async def test_is_refused_for_an_event_that_waits(self, admin_of_tenant, poisoned):
        cohort, event_id = poisoned
        _, page = await admin_of_tenant.get(EVENTS, entity=str(cohort), reason="blocked")
        waiting = page["items"][0]["eventId"]
        status, problem = await admin_of_tenant.post(f"{EVENTS}/{waiting}/replay")
        assert status == 409
        assert str(event_id) in problem["detail"]

    async def test_changes_nothing_in_a_dry_run(self, admin_of_tenant, poisoned, admin):
        _, event_id = poisoned
        _, outcome = await admin_of_tenant.post(f"{EVENTS}/{event_id}/replay", dryRun=True)
        assert (outcome["done"], outcome["events"]) == (False, 3)
        _, whole = await admin_of_tenant.get(f"{EVENTS}/{event_id}")
        assert whole["reason"] == "poison"
        assert admin.execute(AUDITED, [str(event_id)]).fetchall() == []


class TestDrop:
    async def test_skips_no_number_unless_that_is_accepted(self, admin_of_tenant, poisoned):
        cohort, event_id = poisoned
        status, problem = await admin_of_tenant.post(f"{EVENTS}/{event_id}/drop", **WHY)
        assert status == 409
        assert f"number 2 of group {cohort}" in problem["detail"]

    async def test_needs_a_reason(self, admin_of_tenant, poisoned):
        _, event_id = poisoned
        status, _ = await admin_of_tenant.post(f"{EVENTS}/{event_id}/drop", acceptGap=True)
        assert status == 422

    async def test_lets_the_entity_go_on_behind_the_event(
        self, admin_of_tenant, poisoned, effects, admin
    ):
        cohort, event_id = poisoned
        dropped = f"{EVENTS}/{event_id}/drop"
        status, _ = await admin_of_tenant.post(dropped, **WHY, acceptGap=True)
        assert status == 200
        await until(lambda: len(effects.numbers(cohort)) == 3)
        assert effects.numbers(cohort) == [1, 3, 4]
        ((action, _, _, detail),) = admin.execute(AUDITED, [str(event_id)]).fetchall()
        assert (action, detail["reason"], detail["seq"]) == ("event.drop", WHY["reason"], 2)

    async def test_is_refused_while_another_one_comes_first(self, admin_of_tenant, poisoned):
        cohort, event_id = poisoned
        _, page = await admin_of_tenant.get(EVENTS, entity=str(cohort), reason="blocked")
        last = page["items"][-1]["eventId"]
        status, problem = await admin_of_tenant.post(f"{EVENTS}/{last}/drop", **WHY, acceptGap=True)
        assert status == 409
        assert str(event_id) in problem["detail"]


class TestRepublish:
    @pytest.fixture
    def asking(self, producer, issuer):
        manager = Person(producer, issuer, "tenant-admin")

        async def republish(**body):
            path = "/v1/operations/profile/events/republish"
            since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
            return await manager.post(path, **{"since": since, **body})

        return republish

    async def test_changes_nothing_twice(self, http, asking, profile, effects, admin):
        cohort = uuid4()
        await emit_joined(profile, cohort, range(1, 4))
        await until(lambda: len(effects.numbers(cohort)) == 3)
        _, planned = await asking(entity=str(cohort), dryRun=True)
        assert (planned["done"], planned["events"]) == (False, 3)
        _, outcome = await asking(entity=str(cohort), consumer="course")
        assert (outcome["done"], outcome["events"], outcome["next"]) == (True, 3, None)
        await emit_joined(profile, cohort, [4])
        await until(lambda: len(effects.numbers(cohort)) == 4)
        assert effects.numbers(cohort) == [1, 2, 3, 4]

    async def test_brings_a_restored_consumer_what_it_lost(
        self, http, asking, profile, effects, admin
    ):
        cohort = uuid4()
        await emit_joined(profile, cohort, range(1, 4))
        await until(lambda: len(effects.numbers(cohort)) == 3)
        for table in ("inbox", "inbox_cursor"):
            admin.execute(f"DELETE FROM course.{table} WHERE entity = %s", [str(cohort)])
        admin.execute("DELETE FROM course.thing WHERE name LIKE %s", [f"{cohort}/%"])
        effects.applied.clear()
        status, _ = await asking(entity=str(cohort), consumer="course")
        assert status == 200
        await until(lambda: len(effects.numbers(cohort)) == 3)
        assert effects.numbers(cohort) == [1, 2, 3]

    async def test_knows_the_consumers_of_the_catalog_only(self, asking):
        status, problem = await asking(consumer="weather")
        assert status == 422
        assert "weather" in problem["detail"]


class TestDeadLetters:
    async def test_hold_what_is_no_event_and_can_only_be_dropped(self, broker, operator, admin):
        body = str(uuid4()).encode()
        await broker.publish("", names.consumer_queue("course", 3), body)

        async def found():
            _, page = await operator.get(DEAD)
            return next((i for i in page["items"] if i["payload"] == body.decode()), None)

        letter = await until(found)
        assert letter["reason"] == "rejected"
        status, problem = await operator.post(f"{DEAD}/{letter['key']}/replay")
        assert status == 409
        assert "only be dropped" in problem["detail"]
        status, _ = await operator.post(f"{DEAD}/{letter['key']}/drop", **WHY)
        assert status == 200
        assert await found() is None
        ((action, _, _, detail),) = admin.execute(AUDITED, [letter["key"]]).fetchall()
        assert (action, detail["reason"]) == ("dead-letter.drop", WHY["reason"])

    async def test_outlast_being_looked_at_more_often_than_they_may_be_delivered(
        self, operator, dead_letter
    ):
        key, _ = dead_letter
        for _ in range(25):
            assert key in await keys_of(operator)

    async def test_take_effect_once_when_replayed(self, operator, dead_letter, effects):
        key, cohort = dead_letter
        status, outcome = await operator.post(f"{DEAD}/{key}/replay")
        assert (status, outcome["done"]) == (200, True)
        await until(lambda: effects.numbers(cohort) == [1])
        assert key not in await keys_of(operator)

    async def test_survive_the_loss_of_the_connection_in_the_middle_of_a_replay(
        self, operator, dead_letter, effects, no_faults
    ):
        key, cohort = dead_letter

        async def lose():
            raise ConnectionError("lost")

        no_faults.arm("dead-letter.settled", lose)
        status, _ = await operator.post(f"{DEAD}/{key}/replay")
        assert status == 503
        no_faults.disarm()
        assert key in await keys_of(operator)
        status, _ = await operator.post(f"{DEAD}/{key}/replay")
        assert status == 200
        await until(lambda: effects.numbers(cohort) == [1])

    async def test_stay_in_a_dry_run(self, operator, dead_letter):
        key, _ = dead_letter
        _, outcome = await operator.post(f"{DEAD}/{key}/drop", **WHY, dryRun=True)
        assert outcome["done"] is False
        assert key in await keys_of(operator)


class TestEpoch:
    async def test_is_new_after_a_renewal(self, as_, admin):
        epoch = "SELECT epoch FROM course.inbox_consumer WHERE consumer = 'course'"
        await until(lambda: admin.execute(epoch).fetchone())
        before = admin.execute(epoch).fetchone()
        status, _ = await as_("platform-admin").post(f"{EVENTS}/epoch", dryRun=True)
        assert status == 200
        assert admin.execute(epoch).fetchone() == before
        await as_("platform-admin").post(f"{EVENTS}/epoch")
        assert admin.execute(epoch).fetchone() != before


class TestCommandLine:
    async def test_takes_an_event_from_seen_to_mended_to_verified(self, kourse, poisoned, effects):
        cohort, event_id = poisoned
        status, listed = await kourse("list", "--entity", str(cohort), "--reason", "poison")
        assert status == 0
        assert str(event_id) in listed
        status, shown = await kourse("show", str(event_id))
        assert status == 0
        assert "number 3, profile.group.joined" in shown
        effects.failing = lambda _number: None
        status, said = await kourse("replay", str(event_id), "--dry-run")
        assert (status, "Not done" in said) == (0, True)
        status, said = await kourse("replay", str(event_id))
        assert status == 0
        assert said.endswith("It took effect.\n")
        await until(lambda: effects.numbers(cohort) == [1, 2, 3, 4])
        status, listed = await kourse("list", "--entity", str(cohort), "-o", "json")
        assert json.loads(listed) == {"items": []}

    async def test_says_that_an_event_failed_again(self, kourse, poisoned):
        _, event_id = poisoned
        status, said = await kourse("replay", str(event_id))
        assert status == 1
        assert "It failed again: ValueError: cohorts of this size" in said

    async def test_replays_all_that_failed_and_tells_what_became_of_each(
        self, kourse, poisoned, effects, admin
    ):
        cohort, event_id = poisoned
        here = ("--all", "--entity", str(cohort), "-o", "json")
        status, said = await kourse("replay", *here, "--dry-run")
        (planned,) = json.loads(said)["items"]
        assert (status, planned["event"], planned["became"]) == (0, str(event_id), "planned")
        assert admin.execute(AUDITED, [str(event_id)]).fetchall() == []

        status, said = await kourse("replay", *here, "--wait", "120")
        (failed,) = json.loads(said)["items"]
        assert (status, failed["became"]) == (1, "failed")
        assert "cohorts of this size" in failed["says"]

        effects.failing = lambda _number: None
        status, said = await kourse("replay", "--all", "--wait", "120", "-o", "json")
        became = {one["event"]: one["became"] for one in json.loads(said)["items"]}
        assert (status, became[str(event_id)], set(became.values())) == (0, "applied", {"applied"})
        await until(lambda: effects.numbers(cohort) == [1, 2, 3, 4])
        acts = [action for action, *_ in admin.execute(AUDITED, [str(event_id)]).fetchall()]
        assert acts == ["event.replay", "event.replay"]

    async def test_says_that_nothing_failed(self, kourse):
        status, said = await kourse("replay", "--all", "--entity", str(uuid4()))
        assert (status, said) == (0, "Nothing failed, so there is nothing to replay.\n")

    async def test_replays_nothing_unless_told_what(self, kourse):
        for words in ((), (str(uuid4()), "--all"), (str(uuid4()), "--type", "a.b.c")):
            status, said = await kourse("replay", *words)
            assert (status, "--all" in said) == (1, True)

    async def test_drops_only_with_a_gap_that_is_accepted(self, kourse, poisoned, effects):
        cohort, event_id = poisoned
        status, said = await kourse("drop", str(event_id), "--reason", "never meant")
        assert status == 1
        assert "Accept the gap" in said
        status, _ = await kourse("drop", str(event_id), "--reason", "never meant", "--accept-gap")
        assert status == 0
        await until(lambda: effects.numbers(cohort) == [1, 3, 4])

    async def test_says_who_may_see_dead_letters(self, kourse):
        status, said = await kourse("list", "--dead")
        assert (status, "platform admin" in said) == (1, True)
        status, said = await kourse("list", "--dead", "-o", "json", roles=["platform-admin"])
        assert status == 0
        assert isinstance(json.loads(said)["items"], list)

    async def test_shows_and_replays_dead_letters(self, kourse, dead_letter, effects):
        key, cohort = dead_letter
        status, said = await kourse("show", key, "--dead", roles=["platform-admin"])
        assert (status, f"profile.group.joined {key}" in said) == (0, True)
        status, said = await kourse("list", "--dead", "--entity", str(cohort))
        assert (status, "--type" in said) == (1, True)
        status, said = await kourse("replay", "--all", "--dead", roles=["platform-admin"])
        assert (status, f"The dead letter {key} is delivered again." in said) == (0, True)
        await until(lambda: effects.numbers(cohort) == [1])

    async def test_says_what_is_no_moment(self, kourse):
        status, said = await kourse("republish", "--since", "yesterday")
        assert (status, "no moment" in said) == (1, True)

    async def test_says_that_an_event_is_parked_nowhere(self, kourse):
        status, said = await kourse("show", str(uuid4()))
        assert (status, "parked nowhere" in said) == (1, True)
