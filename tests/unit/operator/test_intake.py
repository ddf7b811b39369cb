"""What comes from outside is taken in, whatever shape it has."""

import json
import logging

import pytest

from kourse.contracts.errors import KourseError, Unavailable
from kourse.contracts.resources import FINALIZER
from kourse_operator.actuators.kubernetes import _answer, _event, address
from kourse_operator.engine.engine import Engine
from kourse_operator.engine.observe import Observer
from kourse_operator.engine.wake import WakeListener
from kourse_operator.handlers.resources import settings, take_in
from kourse_operator.resource import Key
from support.operator_fakes import body, resource

KEY = Key("Course", "demo", "statistics")


@pytest.fixture
async def engine(room):
    made = Engine(room.store, room.cluster, room.reconciler, room.remover)
    await made.lead()
    return made


class TestResource:
    def test_knows_its_finalizer_and_annotations(self):
        notes = {"kourse.dev/paused": "true", "kourse.dev/adopt": "True", "other": "x"}
        one = resource(annotations=notes)
        assert one.held
        assert one.paused
        assert one.adopts
        assert not one.forced
        assert [name for name, _ in one.annotations] == ["kourse.dev/adopt", "kourse.dev/paused"]

    def test_wishes_the_same_when_only_the_status_changed(self):
        assert resource().wish == resource(status={"version": 1}).wish

    @pytest.mark.parametrize(
        "change",
        [{"generation": 2}, {"annotations": {"kourse.dev/paused": "true"}}, {"uid": "other"}],
    )
    def test_wishes_something_else_when_its_author_does(self, change):
        assert resource().wish != resource(**change).wish


class TestTakeIn:
    async def test_passes_on_what_is_seen_and_lost(self, engine):
        take_in(engine, "Course", None, body())
        assert engine.store.find(KEY)
        take_in(engine, "Course", "DELETED", body())
        assert engine.store.find(KEY) is None

    async def test_loses_nothing_that_it_cannot_read(self, engine):
        broken = body()
        broken["metadata"]["generation"] = "many"
        take_in(engine, "Course", "MODIFIED", broken)
        assert KEY in engine.queue


class TestSettings:
    def test_let_kopf_write_nothing(self):
        made = settings(silence_limit_s=360)
        assert made.persistence.finalizer != FINALIZER, "kopf would take it away"
        assert made.queueing.worker_limit is None
        assert made.scanning.disabled
        assert not made.posting.loggers
        assert made.posting.level == logging.WARNING

    @pytest.mark.parametrize("limit_s", [3, 90, 360])
    def test_begin_each_watch_anew_before_its_silence_is_a_failure(self, limit_s):
        made = settings(silence_limit_s=limit_s).watching
        assert 1 <= made.server_timeout < made.client_timeout < limit_s
        assert made.inactivity_timeout < limit_s


class TestWakeListener:
    @pytest.fixture
    def heard(self):
        return []

    @pytest.fixture
    def listener(self, heard):
        return WakeListener(
            "postgresql+psycopg://x", lambda *said: heard.append(said), lambda: None
        )

    def test_passes_on_who_shall_wake(self, listener, heard):
        listener._pass_on(json.dumps({"tenant": "demo", "kind": "Course", "name": "one"}))
        assert heard == [("demo", "Course", "one")]

    @pytest.mark.parametrize("payload", ["", "{", "[]", '{"tenant": "demo"}', "7"])
    def test_ignores_what_it_does_not_understand(self, listener, heard, payload):
        listener._pass_on(payload)
        assert heard == []


class TestObserver:
    async def test_refreshes_in_groups(self, room, engine):
        for name in ("one", "two"):
            made = body(name=name, status={"id": "x"})
            engine.store.put(room.cluster.add("Course", made))
            room.rows.counts[name] = {"learners": 3}
        observer = Observer(engine, room.rows, interval_s=0)
        ((group, keys),) = observer._groups()
        await observer.refresh(group, keys)
        assert room.rows.calls["observe"] == 1
        assert room.cluster.status(keys[0])["learners"] == 3


class TestAnswer:
    def test_of_success_is_the_body(self):
        assert _answer("GET", 200, b'{"a": 1}') == {"a": 1}

    @pytest.mark.parametrize(("method", "status"), [("GET", 404), ("PATCH", 404), ("POST", 409)])
    def test_of_absence_and_presence_is_nothing(self, method, status):
        assert _answer(method, status, b"") is None

    @pytest.mark.parametrize("status", [401, 429, 500, 503])
    def test_that_may_pass_is_unavailable(self, status):
        with pytest.raises(Unavailable):
            _answer("PATCH", status, b'{"message": "busy"}')

    def test_of_refusal_carries_the_sentence(self):
        with pytest.raises(KourseError, match="403 to PATCH: no right"):
            _answer("PATCH", 403, b'{"message": "no right"}')


class TestEvent:
    def test_has_one_name_for_one_occurrence(self):
        one = resource()
        said = ("Normal", "Reconciled", "Live.")
        first, again = (_event(one, *said, "10:00", "pod")["metadata"]["name"] for _ in range(2))
        later = _event(one, *said, "11:00", "pod")["metadata"]["name"]
        assert first == again
        assert first != later
        assert first.startswith("statistics.")

    def test_points_at_the_object(self):
        made = _event(resource(), "Warning", "InvalidSpec", "x" * 3000, "", "pod")
        assert made["involvedObject"]["kind"] == "Course"
        assert len(made["message"]) == 1024


class TestAddress:
    def test_is_the_path_of_the_object(self):
        expected = "/apis/kourse.dev/v1alpha1/namespaces/demo/courses/statistics"
        assert address(KEY) == expected
