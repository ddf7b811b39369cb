"""A back end that is down shows as a condition and heals by itself; nothing is lost or left behind."""

import asyncio
import threading

import pytest
from sqlalchemy.engine import make_url
from yarl import URL

from support.cluster import condition
from support.operator_fakes import SPECS
from support.operator_process import OperatorProcess, environment
from support.proxy import Proxy
from support.waiting import LONG_S, eventually

COURSE = SPECS["Course"]


class Wire:
    """A proxy to one back end, cut and mended from the test's thread."""

    def __init__(self, loop, address):
        self._loop = loop
        self._proxy = Proxy(address.host, address.port)
        self.mend()

    @property
    def port(self):
        return self._proxy.port

    def cut(self):
        self._do(self._proxy.cut())

    def mend(self):
        self._do(self._proxy.mend())

    def _do(self, work):
        asyncio.run_coroutine_threadsafe(work, self._loop).result(LONG_S)


@pytest.fixture(scope="module")
def wires(servers, scratch, broker_url):
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    addresses = {
        "database": make_url(scratch.url("kourse_operator")),
        "broker": URL(broker_url),
        "store": URL(servers.endpoints.s3_endpoint),
    }
    made = {name: Wire(loop, address) for name, address in addresses.items()}
    yield made
    for wire in made.values():
        wire.cut()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module", autouse=True)
def _running(servers, scratch, broker_url, namespace, wires, tmp_path_factory):
    settings = environment(servers.endpoints, scratch, broker_url, namespace)
    database = make_url(scratch.url("kourse_operator")).set(port=wires["database"].port)
    through = {
        "DATABASE_URL": database.render_as_string(hide_password=False),
        "BROKER_URL": str(URL(broker_url).with_port(wires["broker"].port)),
        "S3_ENDPOINT": str(URL(servers.endpoints.s3_endpoint).with_port(wires["store"].port)),
    }
    settings |= {f"KOURSE_OPERATOR_{name}": value for name, value in through.items()}
    with OperatorProcess(settings, tmp_path_factory.mktemp("operator") / "log") as process:
        yield process


@pytest.mark.parametrize(
    ("wire", "type_", "called"),
    [
        ("database", "RowsSynced", "The database"),
        ("store", "BucketReady", "The object store"),
        ("broker", "BindingsReady", "The message broker"),
    ],
)
class TestOutage:
    def test_at_creation_is_said_and_heals(self, cluster, namespace, wires, wire, type_, called):
        name = f"new-{wire}"
        wires[wire].cut()
        try:
            cluster.create("Course", namespace, name, COURSE)
            found = cluster.until("Course", namespace, name, "False", "BackendUnavailable")
        finally:
            wires[wire].mend()
        said = condition(found, type_)
        assert (said["status"], said["reason"]) == ("False", "BackendUnavailable")
        assert said["message"].startswith(called)
        assert condition(found, "Reconciling")["status"] == "True"
        cluster.until("Course", namespace, name)

    def test_at_deletion_holds_the_object_until_it_is_cleaned_up(
        self, cluster, namespace, wires, wire, type_, called
    ):
        name = f"old-{wire}"
        cluster.create("Course", namespace, name, {**COURSE, "deletionPolicy": "Delete"})
        cluster.until("Course", namespace, name)
        wires[wire].cut()
        try:
            cluster.delete("Course", namespace, name)
            found = cluster.until("Course", namespace, name, "False", "BackendUnavailable")
        finally:
            wires[wire].mend()
        assert "force-delete" in condition(found, "Ready")["message"]
        assert found["metadata"].get("annotations", {}) == {}, "no progress is noted in the object"
        cluster.gone("Course", namespace, name)


class TestForce:
    def test_lets_an_object_go_whose_back_end_is_gone(self, cluster, namespace, wires):
        cluster.create("Course", namespace, "stuck", COURSE)
        cluster.until("Course", namespace, "stuck")
        wires["database"].cut()
        try:
            cluster.delete("Course", namespace, "stuck")
            cluster.until("Course", namespace, "stuck", "False", "BackendUnavailable")
            cluster.annotate("Course", namespace, "stuck", "force-delete")
            cluster.gone("Course", namespace, "stuck")
        finally:
            wires["database"].mend()
        eventually(lambda: "ForceDeleted" in cluster.events(namespace, "stuck"))
