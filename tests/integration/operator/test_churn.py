"""Killed at every step and at random ones, over a churn of all kinds, the operator converges and leaves nothing.

``KOURSE_CHURN_KILLS`` and ``KOURSE_CHURN_SEED`` make it longer and other than the default.
"""

import os
import time
from collections import Counter

import pytest

from kourse.contracts import names
from kourse.contracts.resources import BY_KIND
from support.operator_backends import Backends
from support.operator_churn import (
    COURSES,
    OPERATOR_POINTS,
    Churn,
    Mortals,
    seeded,
)
from support.waiting import eventually

KILLS = int(os.environ.get("KOURSE_CHURN_KILLS", "50"))
SEED = int(os.environ.get("KOURSE_CHURN_SEED", "1"))
DEATHS = {f"{point}=kill": 1 for point in OPERATOR_POINTS} | {"operator.*=kill": KILLS}
CONVERGED_S = 300
PAUSE_S = 0.02
"""Between two acts of the author; nothing waits for it."""
DYING_S = 300 + 20 * KILLS
"""Longest time until all have died; a death is a matter of a second on a machine that has nothing else to do."""
pytestmark = pytest.mark.timeout(DYING_S + 1200)


@pytest.fixture(scope="module")
def backends(servers, scratch, broker_url, namespace):
    return Backends(servers.endpoints, scratch, broker_url, namespace)


@pytest.fixture(scope="module")
def settings(settings):
    return settings | {
        "KOURSE_OPERATOR_LEASE_DURATION": "PT15S",
        "KOURSE_OPERATOR_LEASE_RENEW_DEADLINE": "PT10S",
        "KOURSE_OPERATOR_LEASE_RETRY": "PT0.2S",
    }


@pytest.fixture(scope="module")
def churn(cluster, namespace):
    return Churn(cluster, namespace, seeded(SEED))


@pytest.fixture(scope="module")
def mortals(settings, lease, tmp_path_factory):
    log = tmp_path_factory.mktemp("churn") / "log"
    with Mortals(settings, log, lease, seeded(SEED + 1)) as made:
        yield made


@pytest.fixture(scope="module")
def survived(churn, mortals, backends, cluster, namespace):
    """All those deaths, and then an operator that lives long enough to finish."""
    churn.begin(backends.replicate_course)
    mortals.kill_from_now()
    deadline = time.monotonic() + DYING_S
    while not all(mortals.deaths[fault] >= times for fault, times in DEATHS.items()):
        assert time.monotonic() < deadline, f"only {mortals.deaths}"
        churn.step()
        time.sleep(PAUSE_S)
    mortals.spare()
    for kind, name in churn.wanted:
        cluster.until(kind, namespace, name, seconds=CONVERGED_S)
    eventually(lambda: present(cluster, namespace) == set(churn.wanted), CONVERGED_S)
    return churn


def present(cluster, namespace):
    return {
        (kind, item["metadata"]["name"])
        for kind in BY_KIND
        for item in cluster.list(kind, namespace)
    }


def of_kind(churn, kind):
    return {name for one, name in churn.wanted if one == kind}


class TestAfterManyDeaths:
    def test_every_step_was_one_to_die_at(self, survived, mortals):
        assert {fault for fault in mortals.deaths if fault} == set(DEATHS)
        assert mortals.deaths["operator.*=kill"] >= KILLS

    def test_the_rows_are_those_of_the_newest_generations(
        self, survived, cluster, namespace, backends
    ):
        expected = {
            (kind, item["metadata"]["name"]): (
                item["metadata"]["generation"],
                item["spec"]["title"],
            )
            for kind in BY_KIND
            for item in cluster.list(kind, namespace)
        }
        assert backends.ledger() == expected

    def test_there_are_buckets_and_exchanges_of_the_courses_alone(
        self, survived, backends, namespace
    ):
        courses = of_kind(survived, "Course")
        assert backends.buckets() == {names.bucket("kourse", namespace, one) for one in courses}
        expected = {names.course_exchange(namespace, one) for one in courses}
        assert backends.named("exchanges", f"kourse.course.{namespace}.") == expected

    def test_there_are_queues_of_the_cohorts_alone_fed_by_their_courses(
        self, survived, backends, namespace
    ):
        cohorts = of_kind(survived, "Cohort")
        expected = {names.cohort_queue(namespace, one) for one in cohorts}
        assert backends.named("queues", f"kourse.cohort.{namespace}.") == expected
        for cohort in cohorts:
            queue = names.cohort_queue(namespace, cohort)
            sources = {item["source"] for item in backends.bindings(queue, "queue")}
            courses = survived.wanted["Cohort", cohort]["courses"]
            assert sources == {names.course_exchange(namespace, one) for one in courses}, cohort

    def test_graders_are_bound_to_the_exams_alone(self, survived, backends, namespace):
        exams = of_kind(survived, "ExamConfig")
        expected = {str(names.declared_id(namespace, "ExamConfig", one)) for one in exams}
        for queue in names.GRADING_QUEUES:
            bound = {item["arguments"].get("exam") for item in backends.bindings(queue, "queue")}
            assert bound - {None} == expected, queue

    def test_nothing_was_told_twice(self, survived, cluster, namespace, backends):
        said = Counter(cluster.transitions(namespace))
        assert [one for one, times in said.items() if times > 1] == []
        published = backends.published()
        for course, times in published.items():
            assert times <= survived.changes["Course", course], course
        assert set(COURSES) <= set(published)


class TestInTheEnd:
    def test_nothing_is_left(self, survived, cluster, namespace, backends):
        survived.end()
        eventually(lambda: present(cluster, namespace) == set(), CONVERGED_S)
        assert backends.ledger() == {}
        assert backends.buckets() == set()
        assert backends.named("exchanges", f"kourse.course.{namespace}.") == set()
        assert backends.named("queues", f"kourse.cohort.{namespace}.") == set()
        for queue in names.GRADING_QUEUES:
            assert all("exam" not in b["arguments"] for b in backends.bindings(queue, "queue"))
