"""A real operator process between a real API server, PostgreSQL, RabbitMQ and S3."""

import secrets

import pytest

from support.cluster import Cluster
from support.operator_churn import HeldLease
from support.operator_process import OperatorProcess, environment


@pytest.fixture(scope="session")
def cluster(servers):
    """The API server, as its administrator."""
    with Cluster(servers.endpoints.kubeconfig) as made:
        yield made


@pytest.fixture(scope="module")
def namespace(cluster):
    """A namespace of this module's own, which is also its tenant."""
    name = f"op-{secrets.token_hex(4)}"
    cluster.make_namespace(name)
    yield name
    cluster.release(name)


@pytest.fixture(scope="module")
def settings(servers, scratch, broker_url, namespace):
    """The operator's environment in this module."""
    return environment(servers.endpoints, scratch, broker_url, namespace)


@pytest.fixture(scope="module")
def lease(cluster, settings):
    """The Lease of this module's operators; one that was killed holds it for long."""
    return HeldLease(
        cluster.api,
        settings["KOURSE_OPERATOR_LEASE_NAMESPACE"],
        settings["KOURSE_OPERATOR_LEASE_NAME"],
    )


@pytest.fixture(scope="module")
def operator(settings, tmp_path_factory):
    """An operator that serves this module's namespace."""
    with OperatorProcess(settings, tmp_path_factory.mktemp("operator") / "log") as process:
        yield process
