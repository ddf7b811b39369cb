"""The engine converges from any events, writes as little as possible, and loses nothing."""

import asyncio
import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kourse.contracts.errors import Unavailable
from kourse_operator.conditions import Type, find
from kourse_operator.engine.engine import Engine, Pace
from kourse_operator.resource import Resource
from support.operator_fakes import body, new_room, resource

PACE = Pace(retry_first_s=0.001, retry_longest_s=0.01, removal_longest_s=0.01)


async def begun(room, pace=PACE):
    """An engine that leads."""
    made = Engine(room.store, room.cluster, room.reconciler, room.remover, pace=pace)
    await made.lead()
    return made


@pytest.fixture
async def engine(room):
    return await begun(room)


@contextlib.asynccontextmanager
async def working(engine, workers=3):
    tasks = [asyncio.create_task(engine.work()) for _ in range(workers)]
    try:
        yield
    finally:
        engine.close()
        await asyncio.gather(*tasks)


async def until(condition, seconds=5):
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 -- other tasks change it
            await asyncio.sleep(0.001)


def is_ready(room, key):
    found = find(room.cluster.status(key).get("conditions", ()), Type.READY)
    return bool(found) and found["status"] == "True"


def change(room, key, **changes):
    """The object after a change by its author."""
    made = body(key.kind, key.name, status=room.cluster.status(key), **changes)
    return room.cluster.add(key.kind, made)


class TestSee:
    async def test_makes_an_object_ready_with_one_write(self, room, engine):
        one = room.cluster.add("Course", body())
        engine.see(one)
        async with working(engine):
            await until(lambda: is_ready(room, one.key))
        assert room.cluster.calls["patch_status"] == 1

    async def test_makes_nothing_before_the_finalizer_is_in_place(self, room, engine):
        room.cluster.error = Unavailable("down")
        bare = room.cluster.add("Course", body(held=False))
        engine.see(bare)
        async with working(engine):
            await until(lambda: room.cluster.calls["patch_finalizers"] > 2)
            assert room.rows.calls["apply"] == 0
            room.cluster.error = None
            await until(lambda: is_ready(room, bare.key))
        assert room.cluster.bodies[bare.key]["metadata"]["finalizers"] == ["kourse.dev/operator"]
        assert room.cluster.calls["patch_status"] == 1

    async def test_puts_back_a_finalizer_that_was_taken_away(self, room, engine):
        one = room.cluster.add("Course", body())
        engine.see(one)
        async with working(engine):
            await until(lambda: is_ready(room, one.key))
            engine.see(change(room, one.key, held=False))
            await until(lambda: room.cluster.bodies[one.key]["metadata"]["finalizers"])

    async def test_decides_anew_when_the_object_changed_meanwhile(self, room, engine):
        one = room.cluster.add("Course", body())
        change(room, one.key, generation=2, spec={"title": "New"})
        engine.see(one)
        async with working(engine):
            await until(lambda: is_ready(room, one.key))
        assert room.cluster.status(one.key)["observedGeneration"] == 2

    async def test_writes_once_for_a_change(self, room, engine):
        one = room.cluster.add("Course", body())
        engine.see(one)
        async with working(engine):
            await until(lambda: is_ready(room, one.key))
            engine.see(change(room, one.key, generation=2, spec={"title": "New"}))
            await until(lambda: room.cluster.status(one.key)["observedGeneration"] == 2)
        assert room.cluster.calls["patch_status"] == 2

    async def test_ignores_the_echo_of_its_own_write(self, room, engine):
        one = room.cluster.add("Course", body())
        engine.see(one)
        async with working(engine):
            await until(lambda: is_ready(room, one.key))
        engine.see(Resource.of("Course", room.cluster.bodies[one.key]))
        assert len(engine.queue) == 0

    async def test_writes_nothing_for_settled_objects_after_a_restart(self, room, engine):
        one = room.cluster.add("Course", body())
        engine.see(one)
        async with working(engine):
            await until(lambda: is_ready(room, one.key))
        room.cluster.calls.clear()
        room.store.drop(one.key)
        restarted = await begun(room)
        restarted.see(Resource.of("Course", room.cluster.bodies[one.key]))
        assert len(restarted.queue) == 0
        restarted.queue.add(one.key)
        async with working(restarted):
            await until(lambda: room.rows.calls["apply"] == 2)
        assert room.cluster.calls["patch_status"] == 0

    async def test_ignores_an_older_state(self, room, engine):
        old = resource()
        new = room.cluster.add("Course", body(generation=2))
        engine.see(new)
        engine.see(old)
        assert room.store.find(new.key).generation == 2


class TestLose:
    async def test_forgets_the_object(self, room, engine):
        one = room.cluster.add("Course", body())
        engine.see(one)
        engine.lose(one)
        assert room.store.find(one.key) is None
        assert one.key not in engine.queue

    async def test_keeps_a_successor_of_the_same_name(self, room, engine):
        old = resource(uid="first")
        new = room.cluster.add("Course", body(uid="second"))
        engine.see(new)
        engine.lose(old)
        assert room.store.find(new.key).uid == "second"


class TestRetry:
    async def test_goes_on_until_the_back_end_is_back(self, room, engine):
        room.rows.error = Unavailable("down")
        one = room.cluster.add("Course", body())
        engine.see(one)
        async with working(engine):
            await until(lambda: room.rows.calls["apply"] > 3)
            room.rows.error = None
            await until(lambda: is_ready(room, one.key))
        assert room.cluster.calls["patch_status"] == 2, "down once, up once"
        assert [event[2] for event in room.cluster.events] == ["BackendUnavailable", "Reconciled"]

    async def test_survives_an_api_server_that_is_down(self, room, engine):
        room.cluster.error = Unavailable("down")
        one = room.cluster.add("Course", body())
        engine.see(one)
        async with working(engine):
            await until(lambda: room.cluster.calls["patch_status"] > 2)
            room.cluster.error = None
            await until(lambda: is_ready(room, one.key))

    async def test_reads_anew_what_could_not_be_understood(self, room, engine):
        one = room.cluster.add("Course", body())
        engine.look_again(one.key)
        async with working(engine):
            await until(lambda: is_ready(room, one.key))


class TestWake:
    async def test_queues_at_once(self, room, engine):
        one = room.cluster.add("Course", body())
        engine.store.put(one)
        engine.wake("demo", "Course", "statistics")
        assert len(engine.queue) == 1

    async def test_ignores_what_is_unknown(self, engine):
        engine.wake("demo", "Course", "nothing")
        assert len(engine.queue) == 0

    async def test_follows_when_a_dependency_becomes_ready(self, room, engine):
        room.rows.refusals["lisbon"] = Unavailable("course unknown")
        slow = Pace(retry_first_s=300, retry_longest_s=300)
        patient = await begun(room, slow)
        cohort = room.cluster.add("Cohort", body("Cohort", "lisbon"))
        patient.see(cohort)
        async with working(patient):
            await until(lambda: room.cluster.status(cohort.key))
            del room.rows.refusals["lisbon"]
            patient.see(room.cluster.add("Course", body()))
            await until(lambda: is_ready(room, cohort.key))

    async def test_finds_everything_that_is_not_ready(self, room, engine):
        engine.store.put(room.cluster.add("Course", body()))
        engine.wake_unready()
        assert len(engine.queue) == 1


class TestProgress:
    async def test_is_shown_when_a_generation_takes_long(self, room):
        gate = asyncio.Event()
        apply = room.rows.apply

        async def slow(*args):
            await gate.wait()
            return await apply(*args)

        room.rows.apply = slow
        pace = Pace(progress_after_s=0.01)
        engine = await begun(room, pace)
        one = room.cluster.add("Course", body())
        engine.see(one)
        async with working(engine):
            await until(lambda: room.cluster.status(one.key))
            shown = find(room.cluster.status(one.key)["conditions"], Type.READY)
            assert (shown["status"], shown["reason"]) == ("Unknown", "Progressing")
            gate.set()
            await until(lambda: is_ready(room, one.key))
        assert find(room.cluster.status(one.key)["conditions"], Type.RECONCILING) is None


class TestStandby:
    async def test_watches_and_does_nothing(self, room):
        standby = Engine(room.store, room.cluster, room.reconciler, room.remover, pace=PACE)
        one = room.cluster.add("Course", body(held=False))
        standby.see(one)
        standby.wake("demo", "Course", "statistics")
        standby.wake_unready()
        assert one.key not in standby.queue
        assert room.store.find(one.key) == one

    async def test_begins_with_all_that_it_has_seen(self, room):
        standby = Engine(room.store, room.cluster, room.reconciler, room.remover, pace=PACE)
        one = room.cluster.add("Course", body())
        standby.see(one)
        await standby.lead()
        async with working(standby):
            await until(lambda: is_ready(room, one.key))

    async def test_forgets_what_went_while_its_watch_was_interrupted(self, room):
        standby = Engine(room.store, room.cluster, room.reconciler, room.remover, pace=PACE)
        gone = resource(name="gone")
        standby.see(gone)
        await standby.lead()
        assert room.store.find(gone.key) is None
        assert gone.key not in standby.queue


class TestDeletion:
    async def test_lets_the_object_go_when_everything_is_removed(self, room, engine):
        one = room.cluster.add("Course", body())
        engine.see(one)
        async with working(engine):
            await until(lambda: is_ready(room, one.key))
            engine.see(change(room, one.key, deleting=True))
            await until(lambda: one.key not in room.cluster.bodies)
        assert room.rows.calls["retire"] == 1
        assert room.store.find(one.key) is None

    async def test_leaves_alone_what_others_still_hold(self, room, engine):
        made = body(deleting=True)
        made["metadata"]["finalizers"].insert(0, "example.org/other")
        one = room.cluster.add("Course", made)
        engine.see(one)
        async with working(engine):
            await until(lambda: room.cluster.calls["patch_finalizers"])
        assert room.cluster.bodies[one.key]["metadata"]["finalizers"] == ["example.org/other"]
        engine.see(Resource.of("Course", room.cluster.bodies[one.key]))
        assert one.key not in engine.queue

    async def test_waits_while_a_back_end_is_down(self, room, engine):
        one = room.cluster.add("Course", body())
        engine.see(one)
        async with working(engine):
            await until(lambda: is_ready(room, one.key))
            room.rows.error = Unavailable("down")
            engine.see(change(room, one.key, deleting=True))
            await until(lambda: room.rows.calls["owner"] > 2)
            assert one.key in room.cluster.bodies
            room.rows.error = None
            await until(lambda: one.key not in room.cluster.bodies)

    async def test_sees_an_annotation_set_meanwhile(self, room, engine):
        one = room.cluster.add("Course", body())
        engine.see(one)
        async with working(engine):
            await until(lambda: is_ready(room, one.key))
            room.rows.error = Unavailable("gone for ever")
            engine.see(change(room, one.key, deleting=True))
            await until(lambda: room.rows.calls["owner"] > 1)
            notes = {"kourse.dev/force-delete": "true"}
            engine.see(change(room, one.key, deleting=True, annotations=notes))
            await until(lambda: one.key not in room.cluster.bodies)
        assert room.cluster.events[-1][2] == "ForceDeleted"


class TestRefresh:
    async def test_writes_counts_only_when_they_change(self, room, engine):
        one = room.cluster.add("Course", body())
        engine.see(one)
        async with working(engine):
            await until(lambda: is_ready(room, one.key))
        writes = room.cluster.calls["patch_status"]
        await engine.refresh(one.key, {"learners": 3})
        await engine.refresh(one.key, {"learners": 3})
        assert room.cluster.status(one.key)["learners"] == 3
        assert room.cluster.calls["patch_status"] == writes + 1


class TestConvergence:
    @settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        events=st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=20),
        outages=st.lists(st.sampled_from(["rows", "buckets", "wires", "cluster"]), max_size=4),
    )
    def test_reaches_the_newest_state_whatever_the_events(self, events, outages):
        asyncio.run(self._converge(events, outages))

    async def _converge(self, events, outages):
        room = new_room()
        engine = await begun(room)
        states = [body(generation=n + 1, spec={"title": f"T{n}"}) for n in range(4)]
        newest = max(index for index, _ in events)
        key = room.cluster.add("Course", states[newest]).key
        for part in outages:
            getattr(room, part).error = Unavailable("down")
        async with working(engine):
            for index, twice in events:
                for _ in range(1 + twice):
                    engine.see(Resource.of("Course", states[index]))
                await asyncio.sleep(0)
            for part in outages:
                getattr(room, part).error = None
            await until(
                lambda: (
                    is_ready(room, key)
                    and room.cluster.status(key)["observedGeneration"] == newest + 1
                )
            )
        assert room.rows.docs["demo", "Course", "statistics"].generation == newest + 1
