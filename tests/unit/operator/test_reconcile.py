"""A pass makes everything so, or says in conditions why not; it never raises."""

import pytest

from kourse.contracts import errors
from kourse.kit.documents import Pending
from kourse_operator.conditions import Type, find
from kourse_operator.engine.reconcile import told
from kourse_operator.errors import BindingMismatch
from kourse_operator.plans.steps import Binding
from support.kstatus import kstatus
from support.operator_fakes import SPECS, body, resource

BUCKET = "kourse-demo-statistics"


def condition(verdict, kind):
    return find(verdict.status["conditions"], kind)


def said(verdict, kind=Type.READY):
    item = condition(verdict, kind)
    return (item["status"], item["reason"]) if item else None


async def reconcile(room, kind="Course", name="statistics", **changes):
    one = resource(kind, name, **changes)
    room.store.put(one)
    return await room.reconciler.reconcile(one)


async def again(room, verdict, kind="Course", name="statistics", **changes):
    return await reconcile(room, kind, name, status=verdict.status, **changes)


class TestSuccess:
    @pytest.mark.parametrize("kind", SPECS)
    async def test_makes_every_kind_ready(self, room, kind):
        verdict = await reconcile(room, kind, "one")
        assert said(verdict) == ("True", "Reconciled")
        assert verdict.ready
        assert not verdict.retry
        assert kstatus({**body(kind, "one"), "status": verdict.status}) == "Current"

    async def test_has_a_condition_for_each_back_end_of_the_kind(self, room):
        course = await reconcile(room)
        pool = await reconcile(room, "QuestionPool", "bank")
        types = [item["type"] for item in course.status["conditions"]]
        assert types == ["Ready", "RowsSynced", "BucketReady", "BindingsReady"]
        assert [item["type"] for item in pool.status["conditions"]] == ["Ready", "RowsSynced"]

    async def test_shows_what_is_live(self, room):
        verdict = await reconcile(room, generation=3)
        assert verdict.status["version"] == 3
        assert verdict.status["bucket"] == BUCKET
        assert verdict.status["observedGeneration"] == 3
        assert len(verdict.status["id"]) == 36

    async def test_changes_nothing_the_second_time(self, room):
        first = await reconcile(room)
        second = await again(room, first)
        assert second.status == first.status
        assert second.repaired == {}

    async def test_hands_over_identity_and_annotation(self, room):
        await reconcile(room, generation=2, annotations={"kourse.dev/adopt": "true"})
        doc = room.rows.docs["demo", "Course", "statistics"]
        assert (doc.source, doc.uid, doc.generation, doc.adopt) == (
            "resource",
            "uid-demo-statistics",
            2,
            True,
        )

    async def test_reports_a_feature_that_the_store_lacks(self, room):
        room.buckets.missing = ("No lifecycle rules.",)
        verdict = await reconcile(room)
        assert said(verdict, Type.BUCKET_READY) == ("True", "FeatureMissing")
        assert verdict.ready


class TestInvalidSpec:
    @pytest.mark.parametrize(
        ("spec", "sentence"),
        [
            ({"timeZone": "Europe/Lisboa"}, "spec.timeZone: 'Europe/Lisboa' is not an IANA"),
            ({"prerequisites": [{"courseRef": "statistics"}]}, "its own prerequisite"),
            ({"title": 7}, "spec.title: "),
            (
                {
                    "skills": [
                        {"key": "a", "title": "A", "prerequisites": ["b"]},
                        {"key": "b", "title": "B", "prerequisites": ["a"]},
                    ]
                },
                "spec.skills: the prerequisites go round in a circle: ",
            ),
        ],
    )
    async def test_stalls_with_the_fields_path_and_a_sentence(self, room, spec, sentence):
        verdict = await reconcile(room, spec=spec)
        assert said(verdict) == ("False", "InvalidSpec")
        assert sentence in condition(verdict, Type.READY)["message"]
        assert condition(verdict, Type.STALLED)["status"] == "True"
        assert not verdict.retry
        assert not room.rows.calls

    async def test_keeps_saying_what_is_live(self, room):
        good = await reconcile(room)
        bad = await again(room, good, generation=2, spec={"timeZone": "Nowhere"})
        assert bad.status["version"] == 1
        assert condition(bad, Type.ROWS_SYNCED)["observedGeneration"] == 1

    async def test_refuses_what_is_too_large(self, room):
        verdict = await reconcile(room, spec={"summary": "x" * 210_000})
        assert said(verdict) == ("False", "TooLarge")
        assert "textFile" in condition(verdict, Type.READY)["message"]

    async def test_refuses_a_name_that_another_namespace_declared_before(self, room):
        room.store._tenant_of = lambda _: "school"
        first = await reconcile(room, namespace="north", created="2026-01-01T00:00:00Z")
        second = await reconcile(room, namespace="south", created="2026-01-02T00:00:00Z")
        assert said(first) == ("True", "Reconciled")
        assert said(second) == ("False", "Conflict")


class TestBackEndDown:
    @pytest.mark.parametrize(
        ("part", "kind"),
        [
            ("rows", Type.ROWS_SYNCED),
            ("buckets", Type.BUCKET_READY),
            ("wires", Type.BINDINGS_READY),
        ],
    )
    async def test_is_said_and_tried_again(self, room, part, kind):
        getattr(room, part).error = errors.Unavailable("down")
        verdict = await reconcile(room)
        assert said(verdict) == ("False", "BackendUnavailable")
        assert said(verdict, kind) == ("False", "BackendUnavailable")
        assert verdict.retry
        assert verdict.failed

    async def test_heals(self, room):
        room.buckets.error = errors.Unavailable("down")
        down = await reconcile(room)
        room.buckets.error = None
        up = await again(room, down)
        assert said(up) == ("True", "Reconciled")
        assert condition(up, Type.RECONCILING) is None

    async def test_touches_nothing_else_without_rows(self, room):
        room.rows.error = errors.Unavailable("down")
        verdict = await reconcile(room)
        assert not room.buckets.calls
        assert not room.wires.calls
        assert said(verdict, Type.BUCKET_READY) == ("Unknown", "Progressing")

    async def test_says_the_same_each_time(self, room):
        room.rows.error = errors.Unavailable("down since 10:00:01")
        first = await reconcile(room)
        room.rows.error = errors.Unavailable("down since 10:00:02")
        assert (await again(room, first)).status == first.status

    async def test_survives_a_mistake_of_its_own(self, room):
        room.wires.error = ZeroDivisionError()
        verdict = await reconcile(room)
        assert said(verdict) == ("False", "InternalError")
        assert verdict.retry


class TestRefusal:
    @pytest.mark.parametrize(
        ("error", "reason", "retry"),
        [
            (errors.OwnedByApi("Made through the REST API."), "OwnedByApi", False),
            (errors.DependencyNotReady("No course yet."), "DependencyNotReady", True),
            (errors.Invalid("No."), "InvalidSpec", False),
            (errors.StaleGeneration("Old."), "StaleGeneration", True),
        ],
    )
    async def test_becomes_a_condition(self, room, error, reason, retry):
        room.rows.refusals["one"] = error
        verdict = await reconcile(room, "ExamConfig", "one")
        assert said(verdict) == ("False", reason)
        assert condition(verdict, Type.READY)["message"] == error.detail
        assert verdict.retry is retry
        assert not verdict.failed

    async def test_of_the_broker_is_a_condition_too(self, room):
        room.wires.error = BindingMismatch("The queue has other properties.")
        verdict = await reconcile(room, "Cohort", "one")
        assert said(verdict) == ("False", "BindingMismatch")
        assert condition(verdict, Type.STALLED)


class TestPending:
    async def test_keeps_it_from_being_ready_but_makes_the_rest(self, room):
        room.rows.pending = (Pending("AssetsMissing", "a.csv is not stored yet."),)
        verdict = await reconcile(room)
        assert said(verdict) == ("False", "AssetsMissing")
        assert condition(verdict, Type.READY)["message"] == "a.csv is not stored yet."
        assert BUCKET in room.buckets.names, "there must be a bucket to send the files to"
        assert verdict.retry


class TestDrift:
    async def test_of_a_bucket_is_repaired_and_told(self, room):
        first = await reconcile(room)
        room.buckets.names.clear()
        second = await again(room, first)
        assert told(second.repaired["bucket"]) == f"{BUCKET}: absent instead of present"
        assert BUCKET in room.buckets.names

    async def test_of_rows_is_repaired_and_told(self, room):
        first = await reconcile(room)
        room.rows.docs.clear()
        second = await again(room, first)
        assert told(second.repaired["rows"]) == "title: None instead of Statistics"
        assert room.rows.docs

    async def test_of_bindings_is_repaired_and_told(self, room):
        first = await reconcile(room)
        made = list(room.wires.there)
        room.wires.there.clear()
        second = await again(room, first)
        assert [drift.found for drift in second.repaired["bindings"]] == ["absent"] * len(made)
        assert room.wires.there == made

    async def test_of_a_binding_too_many_is_cut(self, room):
        first = await reconcile(room, "Cohort", "lisbon")
        made = list(room.wires.there)
        room.wires.there.append(Binding("kourse.events", "kourse.cohort.demo.lisbon", key="#"))
        second = await again(room, first, kind="Cohort", name="lisbon")
        (drift,) = second.repaired["bindings"]
        assert str(drift).endswith("with key #: present instead of absent")
        assert room.wires.there == made

    async def test_left_by_a_crash_is_cut_and_not_called_drift(self, room):
        await reconcile(room, "Cohort", "lisbon")
        stale = Binding("kourse.course.demo.former", "kourse.cohort.demo.lisbon", key="x")
        room.wires.there.append(stale)
        verdict = await reconcile(room, "Cohort", "lisbon")
        assert stale not in room.wires.there
        assert verdict.repaired == {}

    @pytest.mark.parametrize("backend", ["rows", "bucket", "bindings"])
    async def test_is_only_reported_where_its_author_says_so(self, room, backend):
        spec = {"driftPolicy": "Report"}
        first = await reconcile(room, spec=spec)
        parts = {
            "rows": room.rows.docs,
            "bucket": room.buckets.names,
            "bindings": room.wires.there,
        }
        parts[backend].clear()
        for _ in range(2):
            second = await again(room, first, spec=spec)
            assert said(second) == ("False", "DriftFound")
            assert "instead of" in condition(second, Type.READY)["message"]
            assert not parts[backend], "nothing is put right"
            assert (second.repaired, list(second.reported)) == ({}, [backend])
            assert not second.retry
            first = second
        third = await again(room, first, spec={"driftPolicy": "Correct"}, generation=2)
        assert third.ready
        assert parts[backend]

    async def test_is_not_what_an_author_changed(self, room):
        first = await reconcile(room)
        second = await again(room, first, generation=2, spec={"title": "New"})
        assert second.repaired == {}

    async def test_of_a_bucket_makes_the_service_forget_its_assets(self, room):
        lesson = {"key": "l", "title": "L", "textFile": {"path": "l.md", "sha256": "a" * 64}}
        spec = {"chapters": [{"key": "a", "title": "A", "lessons": [lesson]}]}
        room.rows.assets_stored = True
        first = await reconcile(room, spec=spec)
        assert room.rows.assets_stored is False
        room.rows.assets_stored = True
        room.buckets.names.clear()
        before = room.rows.calls["apply"]
        await again(room, first, spec=spec)
        assert room.rows.calls["apply"] == before + 2, "applied anew, so that what is missing shows"


PAUSED = {"kourse.dev/paused": "true"}


class TestPaused:
    async def test_touches_nothing(self, room):
        verdict = await reconcile(room, annotations=PAUSED)
        assert said(verdict, Type.PAUSED) == ("True", "Paused")
        assert said(verdict) == ("Unknown", "Paused")
        assert not room.rows.calls
        assert "observedGeneration" not in verdict.status

    async def test_keeps_what_was_true_of_this_generation(self, room):
        first = await reconcile(room)
        verdict = await again(room, first, annotations=PAUSED)
        assert said(verdict) == ("True", "Reconciled")
        assert said(verdict, Type.PAUSED) == ("True", "Paused")

    async def test_is_not_ready_for_a_new_generation(self, room):
        first = await reconcile(room)
        verdict = await again(room, first, generation=2, annotations=PAUSED)
        assert said(verdict) == ("Unknown", "Paused")
        assert verdict.status["observedGeneration"] == 1

    async def test_ends_with_the_annotation(self, room):
        paused = await reconcile(room, annotations=PAUSED)
        verdict = await again(room, paused)
        assert condition(verdict, Type.PAUSED) is None
        assert said(verdict) == ("True", "Reconciled")
