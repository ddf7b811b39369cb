"""What the operator writes to the API server, counted at its door: as little as can be."""

import pytest

from support.api_proxy import ApiProxy
from support.operator_backends import Backends
from support.operator_fakes import SPECS
from support.waiting import eventually

COURSE = SPECS["Course"]
OBJECTS = {"Course": "statistics", "QuestionPool": "bank", "ExamConfig": "quiz", "Cohort": "lisbon"}
FINALIZER, STATUS = "{}", "{}/status"
PLURALS = {
    "Course": "courses",
    "QuestionPool": "questionpools",
    "ExamConfig": "examconfigs",
    "Cohort": "cohorts",
}


@pytest.fixture(scope="module")
def door(servers, tmp_path_factory):
    directory = tmp_path_factory.mktemp("door")
    with ApiProxy(servers.endpoints.operator_kubeconfig, directory) as made:
        yield made


@pytest.fixture(scope="module")
def settings(settings, door):
    return settings | {
        "KUBECONFIG": str(door.kubeconfig),
        "KOURSE_OPERATOR_RESYNC_INTERVAL": "PT1S",
        "KOURSE_OPERATOR_WATCH_SILENCE_LIMIT": "PT6S",
    }


@pytest.fixture(scope="module")
def objects(servers, scratch, broker_url, cluster, namespace, operator):
    """One Ready object of each kind, made one after the other."""
    backends = Backends(servers.endpoints, scratch, broker_url, namespace)
    for kind, name in OBJECTS.items():
        cluster.create(kind, namespace, name, SPECS[kind])
        cluster.until(kind, namespace, name)
        if kind == "Course":
            backends.replicate_course(name)
    return OBJECTS


@pytest.fixture
def counted(objects, door):
    """Writes to objects of each kind since the test began; Events and the Lease aside."""
    door.writes.clear()

    def count(kind):
        plural = PLURALS[kind]
        return door.writes["PATCH", plural], door.writes["PATCH", f"{plural}/status"]

    return count


def others(door):
    """Writes to anything but our kinds, Events and the Lease."""
    return {
        thing
        for method, thing in door.writes
        if thing.partition("/")[0] not in {*PLURALS.values(), "events", "leases"}
    }


class TestCreation:
    @pytest.mark.parametrize("kind", OBJECTS)
    def test_costs_a_finalizer_and_a_status(self, cluster, namespace, door, counted, kind):
        cluster.create(kind, namespace, f"{OBJECTS[kind]}-2", SPECS[kind])
        cluster.until(kind, namespace, f"{OBJECTS[kind]}-2")
        assert counted(kind) == (1, 1)
        assert others(door) == set()


class TestChange:
    @pytest.mark.parametrize("kind", OBJECTS)
    def test_costs_a_status(self, cluster, namespace, counted, kind):
        cluster.patch(kind, namespace, OBJECTS[kind], {"spec": {"title": "New"}})
        cluster.until(kind, namespace, OBJECTS[kind])
        assert counted(kind) == (0, 1)


class TestNothingChanged:
    def test_costs_nothing_at_a_resync(self, operator, counted):
        before = operator.metric("controller_runtime_reconcile_total")
        eventually(lambda: operator.metric("controller_runtime_reconcile_total") >= before + 24)
        assert [counted(kind) for kind in OBJECTS] == [(0, 0)] * 4

    def test_costs_nothing_at_a_restart(self, operator, counted):
        operator.stop()
        operator.start()
        eventually(lambda: operator.metric("controller_runtime_reconcile_total") >= 12)
        assert [counted(kind) for kind in OBJECTS] == [(0, 0)] * 4


class TestDeletion:
    def test_costs_a_finalizer(self, cluster, namespace, counted):
        cluster.create("Course", namespace, "brief", COURSE)
        cluster.until("Course", namespace, "brief")
        before = counted("Course")
        cluster.delete("Course", namespace, "brief")
        cluster.gone("Course", namespace, "brief")
        assert counted("Course") == (before[0] + 1, before[1])


class TestSilence:
    def test_of_the_api_server_is_told_by_the_probe(self, operator, door):
        eventually(lambda: operator.get("/healthz")[0] == 200)
        door.hush()
        try:
            silent = "watch of Course has been silent"
            eventually(lambda: silent in operator.get("/healthz")[1])
            assert operator.get("/healthz")[0] == 503
        finally:
            door.speak()
