"""A restart costs nothing when nothing changed, and loses nothing when something did.

Retries are slow here, so whatever happens soon happens because the operator was told.
"""

import pytest

from kourse.contracts.resources import BY_KIND
from support.operator_backends import Backends
from support.operator_fakes import SPECS
from support.waiting import eventually

COURSE = SPECS["Course"]
SLOW = {"KOURSE_OPERATOR_RETRY_FIRST": "PT1H", "KOURSE_OPERATOR_RETRY_LONGEST": "PT2H"}


@pytest.fixture(scope="module")
def settings(settings):
    return settings | SLOW


@pytest.fixture(autouse=True)
def _running(operator):
    """Every test here has an operator."""


class TestRestart:
    def test_writes_nothing_when_nothing_changed(self, cluster, namespace, operator):
        cluster.create("Course", namespace, "steady", COURSE)
        found = cluster.until("Course", namespace, "steady")
        operator.stop()
        operator.start()
        eventually(lambda: operator.metric("controller_runtime_reconcile_total") >= 2)
        assert operator.metric("rest_client_requests_total", method="PATCH") == 0
        after = cluster.find("Course", namespace, "steady")
        assert after["metadata"]["resourceVersion"] == found["metadata"]["resourceVersion"]

    def test_loses_no_change_made_meanwhile(self, cluster, namespace, operator, lease):
        cluster.create("Course", namespace, "meanwhile", COURSE)
        cluster.until("Course", namespace, "meanwhile")
        operator.kill()
        lease.free()
        cluster.patch("Course", namespace, "meanwhile", {"spec": {"title": "New"}})
        operator.start()
        assert cluster.until("Course", namespace, "meanwhile")["status"]["version"] == 2

    def test_finishes_a_deletion_begun_before(self, cluster, namespace, operator, lease):
        cluster.create("Course", namespace, "leaving", COURSE)
        cluster.until("Course", namespace, "leaving")
        operator.kill()
        lease.free()
        cluster.delete("Course", namespace, "leaving")
        assert cluster.find("Course", namespace, "leaving")
        operator.start()
        cluster.gone("Course", namespace, "leaving")


class TestWake:
    def test_comes_from_the_service_that_learns_of_a_dependency(
        self, cluster, namespace, servers, scratch, broker_url
    ):
        backends = Backends(servers.endpoints, scratch, broker_url, namespace)
        cluster.create("Course", namespace, "statistics", COURSE)
        cluster.until("Course", namespace, "statistics")
        cluster.create("QuestionPool", namespace, "bank", SPECS["QuestionPool"])
        cluster.until("QuestionPool", namespace, "bank", "False", "DependencyNotReady")
        backends.replicate_course("statistics")
        cluster.until("QuestionPool", namespace, "bank")


class TestProbes:
    def test_tell_the_truth(self, operator):
        assert operator.get("/healthz")[0] == 200
        assert operator.get("/readyz")[0] == 200
        assert '"version"' in operator.get("/buildinfo")[1]
        assert operator.metric("workqueue_adds_total") > 0

    @pytest.mark.parametrize("kind", BY_KIND)
    def test_have_heard_of_every_watch(self, operator, kind):
        heard = "kourse_operator_last_watch_activity_timestamp_seconds"
        assert operator.metric(heard, kind=kind) > 0
