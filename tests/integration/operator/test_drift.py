"""What is changed by hand is found, and put right or reported, with its old and its new value."""

import psycopg
import pytest

from support.cluster import condition
from support.operator_backends import Backends
from support.operator_fakes import SPECS
from support.waiting import eventually

COURSE = SPECS["Course"]


@pytest.fixture(scope="module")
def backends(servers, scratch, broker_url, namespace):
    return Backends(servers.endpoints, scratch, broker_url, namespace)


@pytest.fixture(scope="module", autouse=True)
def _running(operator):
    """Every test here has an operator."""


@pytest.fixture(params=["Correct", "Report"])
def policy(request):
    return request.param


@pytest.fixture
def course(cluster, namespace, request, policy):
    name = f"drift-{abs(hash(request.node.name)) % 10**8}"
    cluster.create("Course", namespace, name, {**COURSE, "driftPolicy": policy})
    cluster.until("Course", namespace, name)
    return name


@pytest.fixture
def found(cluster, namespace, operator, course, policy):
    """Waits until the drift is put right or reported; the sentence that tells of it."""

    def wait(backend, is_right):
        counted = {
            "Correct": "kourse_operator_drift_repaired_total",
            "Report": "kourse_operator_drift_reported_total",
        }[policy]
        reason = {"Correct": "DriftRepaired", "Report": "DriftFound"}[policy]
        text = eventually(lambda: cluster.told(namespace, course).get(reason))
        assert operator.metric(counted, kind="Course", backend=backend) >= 1
        if policy == "Correct":
            eventually(is_right)
        else:
            left = cluster.until("Course", namespace, course, "False", "DriftFound")
            assert condition(left, "Stalled")["status"] == "True"
            assert not is_right()
        return text

    return wait


class TestRows:
    def test_that_are_gone(self, scratch, namespace, backends, course, found):
        with psycopg.connect(scratch.superuser_url, autocommit=True) as connection:
            sql = (
                "DELETE FROM course.lesson WHERE tenant = %s AND course_id = "
                "(SELECT id FROM course.course WHERE tenant = %s AND name = %s)"
            )
            connection.execute(sql, (namespace, namespace, course))
        text = found("rows", lambda: backends.lessons(course) == 1)
        assert "row lesson l: absent instead of present" in text

    def test_that_have_other_values(self, scratch, namespace, backends, course, found):
        with psycopg.connect(scratch.superuser_url, autocommit=True) as connection:
            sql = "UPDATE course.course SET visibility = 'Hidden' WHERE tenant = %s AND name = %s"
            connection.execute(sql, (namespace, course))
        text = found("rows", lambda: backends.visibility(course) != "Hidden")
        assert f"course {course}, column visibility: 'Hidden' instead of '" in text


class TestBucket:
    def test_that_is_gone(self, backends, course, found):
        backends.drop_bucket(course)
        text = found("bucket", lambda: backends.has_bucket(course))
        assert "absent instead of present" in text

    def test_that_keeps_no_versions_any_more(self, backends, course, found):
        backends.suspend_versions(course)
        text = found("bucket", lambda: backends.is_versioned(course))
        assert "bucket versioning: Suspended instead of Enabled" in text

    def test_with_other_rules(self, backends, course, found):
        backends.keep_old_versions(course, 5)
        text = found("bucket", lambda: backends.old_versions_days(course) == 90)
        assert "days until old versions go: 5 instead of 90" in text


class TestBroker:
    def test_without_the_exchange(self, namespace, backends, course, found):
        exchange = f"kourse.course.{namespace}.{course}"
        backends.drop_exchange(exchange)
        text = found("bindings", lambda: backends.exchange(exchange) is not None)
        assert f"exchange {exchange}: absent instead of present" in text

    def test_without_a_binding(self, namespace, backends, course, found):
        exchange = f"kourse.course.{namespace}.{course}"
        backends.drop_bindings(exchange)
        text = found("bindings", lambda: bool(backends.bindings(exchange)))
        assert "absent instead of present" in text

    def test_with_a_binding_too_many(self, namespace, backends, course, found):
        exchange = f"kourse.course.{namespace}.{course}"
        backends.bind("kourse.events", exchange, "everything.#")
        keys = lambda: {item["routing_key"] for item in backends.bindings(exchange)}  # noqa: E731
        text = found("bindings", lambda: "everything.#" not in keys())
        assert "with key everything.#: present instead of absent" in text
