"""Two replicas: one works, and when it dies, stops or is paused the other goes on, and nothing is done twice."""

import signal
from contextlib import ExitStack

import pytest

from kourse.contracts.resources import BY_KIND
from kourse_operator.process import EXIT_LOST
from support.operator_backends import Backends
from support.operator_fakes import SPECS
from support.operator_process import OperatorProcess
from support.waiting import LONG_S, eventually

COURSE = {**SPECS["Course"], "deletionPolicy": "Delete"}
PRODUCTION = {
    "KOURSE_OPERATOR_LEASE_DURATION": "PT15S",
    "KOURSE_OPERATOR_LEASE_RENEW_DEADLINE": "PT10S",
    "KOURSE_OPERATOR_LEASE_RETRY": "PT2S",
}
NEVER = {
    **PRODUCTION,
    "KOURSE_OPERATOR_LEASE_DURATION": "PT1H",
    "KOURSE_OPERATOR_LEASE_RENEW_DEADLINE": "PT30M",
}
"""Nobody waits until such a lease has run out, and no pause of the machine costs it."""


@pytest.fixture(scope="module")
def settings(settings):
    return settings | PRODUCTION


@pytest.fixture
def replica(settings, tmp_path, lease):
    """Starts further replicas; whatever they come to, they are gone at the end, and their lease is free."""
    with ExitStack() as stack:
        made = []
        stack.callback(lease.free)

        def start(**extra):
            one = OperatorProcess(settings | extra, tmp_path / f"log-{len(made)}")
            made.append(one)
            stack.callback(end, one)
            one.start()
            return one

        yield start


def end(one):
    if one.process and one.process.poll() is None:
        one.process.send_signal(signal.SIGCONT)
        one.kill()


@pytest.fixture
def pair(replica):
    """Starts a leader and a standby."""

    def start(**extra):
        leader = replica(**extra)
        eventually(leader.leads)
        return leader, replica(**extra)

    return start


@pytest.fixture
def backends(servers, scratch, broker_url, namespace):
    return Backends(servers.endpoints, scratch, broker_url, namespace)


class TestStandby:
    def test_watches_warmly_and_writes_nothing(self, cluster, namespace, pair):
        leader, standby = pair(**NEVER)
        cluster.create("Course", namespace, "warm", COURSE)
        cluster.until("Course", namespace, "warm")
        assert leader.leads()
        assert not standby.leads()
        known = {"kind": "Course", "type": "Ready", "status": "True"}
        eventually(lambda: standby.metric("kourse_operator_resource_condition", **known) >= 1)
        for kind in BY_KIND:
            name = "kourse_operator_last_watch_activity_timestamp_seconds"
            assert standby.metric(name, kind=kind) > 0
        for method in ("PATCH", "POST"):
            assert standby.metric("rest_client_requests_total", method=method) == 0
        assert standby.metric("kourse_operator_backend_duration_seconds_count") == 0
        assert standby.get("/readyz")[0] == standby.get("/healthz")[0] == 200


class TestTakeover:
    def test_comes_at_once_after_a_clean_stop(self, cluster, namespace, pair):
        leader, standby = pair(**NEVER)
        leader.stop()
        eventually(standby.leads)
        cluster.create("Course", namespace, "handed-over", COURSE)
        cluster.until("Course", namespace, "handed-over")

    def test_comes_in_time_after_a_sudden_death(self, cluster, namespace, pair):
        leader, standby = pair()
        leader.kill()
        cluster.create("Course", namespace, "orphan", COURSE)
        eventually(standby.leads)
        cluster.until("Course", namespace, "orphan")

    def test_loses_no_deletion(self, cluster, namespace, pair, backends):
        leader, standby = pair()
        cluster.create("Course", namespace, "leaving", COURSE)
        cluster.until("Course", namespace, "leaving")
        leader.kill()
        cluster.delete("Course", namespace, "leaving")
        eventually(standby.leads)
        cluster.gone("Course", namespace, "leaving")
        assert not backends.has_bucket("leaving")


@pytest.mark.parametrize("point", ["operator.held", "operator.rows", "operator.done"])
class TestPausedLeader:
    """Paused in the middle of a pass, and going on after another took over."""

    def test_writes_nothing_more(self, cluster, namespace, replica, backends, point):
        name = f"paused-{point.rpartition('.')[2]}"
        paused = replica(KOURSE_FAULTS=f"{point}=stop")
        eventually(paused.leads)
        cluster.create("Course", namespace, name, COURSE)
        cluster.held("Course", namespace, name)
        standby = replica(**NEVER)
        eventually(standby.leads)
        cluster.until("Course", namespace, name)
        cluster.patch("Course", namespace, name, {"spec": {"title": "New"}})
        seen = cluster.until("Course", namespace, name)
        paused.process.send_signal(signal.SIGCONT)
        assert paused.process.wait(LONG_S) == EXIT_LOST
        now = cluster.find("Course", namespace, name)
        assert now["metadata"]["resourceVersion"] == seen["metadata"]["resourceVersion"]
        assert backends.ledger()["Course", name] == (2, "New")
