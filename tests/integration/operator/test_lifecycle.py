"""From creation to deletion: every effect is there when it is Ready, and gone when it may be."""

import pytest

from kourse.contracts import names
from kourse.contracts.resources import BY_KIND
from support.cluster import condition
from support.kstatus import argo_health, kstatus
from support.operator_backends import Backends
from support.operator_fakes import SPECS
from support.waiting import eventually

COURSE, COHORT, EXAM, POOL = (SPECS[k] for k in ("Course", "Cohort", "ExamConfig", "QuestionPool"))


@pytest.fixture(scope="module")
def backends(servers, scratch, broker_url, namespace):
    return Backends(servers.endpoints, scratch, broker_url, namespace)


@pytest.fixture(scope="module", autouse=True)
def _running(operator):
    """Every test here has an operator."""


class TestCourse:
    def test_becomes_ready_with_rows_bucket_and_feed(self, cluster, namespace, backends):
        cluster.create("Course", namespace, "complete", COURSE)
        found = cluster.until("Course", namespace, "complete")
        assert kstatus(found) == "Current"
        assert argo_health(found) == "Healthy"
        assert found["status"]["version"] == 1
        assert found["status"]["bucket"] == names.bucket("kourse", namespace, "complete")
        assert backends.has_bucket("complete")
        assert backends.is_versioned("complete")
        exchange = f"kourse.course.{namespace}.complete"
        assert backends.exchange(exchange)["type"] == "topic"
        assert [b["source"] for b in backends.bindings(exchange)] == ["kourse.events"]
        assert backends.live_version("complete") == 1

    def test_carries_only_the_finalizer(self, cluster, namespace):
        cluster.create("Course", namespace, "clean", COURSE)
        meta = cluster.until("Course", namespace, "clean")["metadata"]
        assert meta["finalizers"] == ["kourse.dev/operator"]
        assert meta.get("annotations", {}) == {}

    def test_is_written_by_its_author_and_twice_by_the_operator(self, cluster, namespace):
        cluster.create("Course", namespace, "cheap", COURSE)
        found = cluster.until("Course", namespace, "cheap")
        writers = {
            (item["manager"], item.get("subresource", ""))
            for item in found["metadata"]["managedFields"]
        }
        assert len(writers) == 3, "the author, the finalizer, the status"

    def test_shows_a_new_version_after_a_change(self, cluster, namespace, backends):
        cluster.create("Course", namespace, "changing", COURSE)
        cluster.until("Course", namespace, "changing")
        cluster.patch("Course", namespace, "changing", {"spec": {"title": "New"}})
        found = cluster.until("Course", namespace, "changing")
        assert found["status"]["version"] == 2
        assert found["status"]["observedGeneration"] == 2
        assert backends.live_version("changing") == 2

    def test_waits_for_its_files_and_wakes_when_they_come(self, cluster, namespace, backends):
        asset = {"path": "a.csv", "sha256": "a" * 64}
        lesson = {"key": "l", "title": "L", "text": "x", "assets": [asset]}
        chapters = [{"key": "a", "title": "A", "lessons": [lesson]}]
        cluster.create("Course", namespace, "files", {**COURSE, "chapters": chapters})
        found = cluster.until("Course", namespace, "files", "False", "AssetsMissing")
        assert argo_health(found) == "Progressing"
        assert "a.csv" in condition(found, "Ready")["message"]
        assert kstatus(found) == "InProgress"
        assert backends.has_bucket("files"), "files need somewhere to go"

    def test_stalls_on_what_only_its_author_can_mend(self, cluster, namespace):
        wrong = {**COURSE, "timeZone": "Europe/Atlantis"}
        cluster.create("Course", namespace, "wrong", wrong)
        found = cluster.until("Course", namespace, "wrong", "False", "InvalidSpec")
        assert kstatus(found) == "Failed"
        assert argo_health(found) == "Degraded"
        assert "spec.timeZone: 'Europe/Atlantis'" in condition(found, "Stalled")["message"]
        cluster.patch("Course", namespace, "wrong", {"spec": {"timeZone": "UTC"}})
        assert condition(cluster.until("Course", namespace, "wrong"), "Stalled") is None

    def test_tells_what_happened_in_events(self, cluster, namespace):
        cluster.create("Course", namespace, "told", COURSE)
        cluster.until("Course", namespace, "told")
        assert eventually(lambda: cluster.events(namespace, "told")) == ["Reconciled"]


class TestDependants:
    def test_wait_for_their_course_and_wake_with_it(self, cluster, namespace, backends):
        objects = {
            "QuestionPool": {**POOL, "courseRef": "awaited"},
            "ExamConfig": {**EXAM, "courseRef": "awaited"},
            "Cohort": {**COHORT, "courses": ["awaited"]},
        }
        for kind, spec in objects.items():
            cluster.create(kind, namespace, "bank" if kind == "QuestionPool" else "one", spec)
        for kind in ("ExamConfig", "Cohort"):
            cluster.until(kind, namespace, "one", "False", "DependencyNotReady")
        cluster.create("Course", namespace, "awaited", COURSE)
        cluster.until("Course", namespace, "awaited")
        backends.replicate_course("awaited")
        assert cluster.until("QuestionPool", namespace, "bank")
        assert cluster.until("ExamConfig", namespace, "one")
        assert cluster.until("Cohort", namespace, "one")
        exam = cluster.find("ExamConfig", namespace, "one")["status"]["id"]
        bound = backends.bindings("assessment.grading.objective", "queue")
        assert {"x-match": "all", "exam": exam} in [item["arguments"] for item in bound]
        queue = f"kourse.cohort.{namespace}.one"
        assert backends.queue(queue)["arguments"]["x-overflow"] == "drop-head"
        sources = {item["source"] for item in backends.bindings(queue, "queue")}
        assert f"kourse.course.{namespace}.awaited" in sources


class TestOwnership:
    def test_of_the_api_stalls_until_the_annotation_takes_it_over(
        self, cluster, namespace, backends
    ):
        backends.declare_by_api("Course", "taken", BY_KIND["Course"].spec.model_validate(COURSE))
        cluster.create("Course", namespace, "taken", COURSE)
        found = cluster.until("Course", namespace, "taken", "False", "OwnedByApi")
        assert kstatus(found) == "Failed"
        assert argo_health(found) == "Degraded"
        cluster.annotate("Course", namespace, "taken", "adopt")
        cluster.until("Course", namespace, "taken")

    def test_of_the_api_survives_the_deletion_of_what_never_had_it(
        self, cluster, namespace, backends
    ):
        backends.declare_by_api("Course", "foreign", BY_KIND["Course"].spec.model_validate(COURSE))
        spec = {**COURSE, "deletionPolicy": "Delete"}
        cluster.create("Course", namespace, "foreign", spec)
        cluster.until("Course", namespace, "foreign", "False", "OwnedByApi")
        cluster.delete("Course", namespace, "foreign")
        cluster.gone("Course", namespace, "foreign")
        assert backends.live_version("foreign") == 1


class TestPause:
    def test_stops_reconciling_until_the_annotation_goes(self, cluster, namespace, backends):
        cluster.create("Course", namespace, "paused", COURSE)
        cluster.until("Course", namespace, "paused")
        cluster.annotate("Course", namespace, "paused", "paused")
        eventually(
            lambda: condition(cluster.find("Course", namespace, "paused"), "Paused") is not None
        )
        cluster.patch("Course", namespace, "paused", {"spec": {"title": "New"}})
        found = cluster.until("Course", namespace, "paused", "Unknown", "Paused")
        assert argo_health(found) == "Suspended"
        assert kstatus(found) == "InProgress"
        assert backends.live_version("paused") == 1
        cluster.annotate("Course", namespace, "paused", "paused", None)
        found = cluster.until("Course", namespace, "paused")
        assert condition(found, "Paused") is None
        assert found["status"]["version"] == 2


class TestDeletion:
    def test_keeps_bucket_and_rows_by_default(self, cluster, namespace, backends):
        cluster.create("Course", namespace, "kept", COURSE)
        cluster.until("Course", namespace, "kept")
        cluster.delete("Course", namespace, "kept")
        cluster.gone("Course", namespace, "kept")
        assert backends.has_bucket("kept")
        assert backends.exchange(f"kourse.course.{namespace}.kept") is None
        cluster.create("Course", namespace, "kept", COURSE)
        assert cluster.until("Course", namespace, "kept")["status"]["version"] == 1

    def test_takes_everything_along_with_delete(self, cluster, namespace, backends):
        cluster.create("Course", namespace, "doomed", {**COURSE, "deletionPolicy": "Delete"})
        cluster.until("Course", namespace, "doomed")
        backends.put_object("doomed", "content/x", b"x")
        cluster.delete("Course", namespace, "doomed")
        cluster.gone("Course", namespace, "doomed")
        assert not backends.has_bucket("doomed")
        assert backends.live_version("doomed") is None

    def test_takes_the_feed_of_a_cohort_along(self, cluster, namespace, backends):
        cluster.create("Course", namespace, "fed", COURSE)
        cluster.until("Course", namespace, "fed")
        backends.replicate_course("fed")
        cluster.create("Cohort", namespace, "leaving", {**COHORT, "courses": ["fed"]})
        cluster.until("Cohort", namespace, "leaving")
        queue = f"kourse.cohort.{namespace}.leaving"
        assert backends.queue(queue)
        cluster.delete("Cohort", namespace, "leaving")
        cluster.gone("Cohort", namespace, "leaving")
        assert backends.queue(queue) is None

    def test_of_what_was_never_valid_is_quick(self, cluster, namespace):
        cluster.create("Course", namespace, "never", {**COURSE, "timeZone": "No/Where"})
        cluster.until("Course", namespace, "never", "False", "InvalidSpec")
        cluster.delete("Course", namespace, "never")
        cluster.gone("Course", namespace, "never")
