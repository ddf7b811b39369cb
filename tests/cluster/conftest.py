"""A kind cluster for the run, on an engine that is gone afterwards when nobody else uses it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hack.install.machine import PrerequisiteMissing
from hack.install.tools import KIND, build_tools
from hack.kind import engine
from hack.kind.cluster import node_image
from hack.stack.cluster import KUBECTL


@dataclass(frozen=True)
class Prepared:
    """What pytest-kind needs to make a cluster without downloading anything."""

    image: str


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest-kind which programs to use."""
    build_tools((KIND,))
    config.option.kind_bin = str(KIND.path)
    config.option.kind_kubectl_bin = KUBECTL
    config.option.cluster_name = f"kourse-test-{os.getpid()}"


@pytest.fixture(scope="session")
def prepared(request: pytest.FixtureRequest) -> Iterator[Prepared]:
    """An engine that runs and a node image; fails with the reason where neither can be had."""
    try:
        docker = engine.ensure()
        image = node_image(docker)
    except PrerequisiteMissing as missing:
        pytest.fail(f"no cluster can be made here: {missing}", pytrace=False)
    folder = request.getfixturevalue("tmp_path_factory").mktemp("kind")
    request.config.option.kind_image = image
    request.config.option.kubeconfig = str(Path(folder) / "kubeconfig")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        if docker.host:
            patch.setenv("DOCKER_HOST", docker.host)
        yield Prepared(image)
    engine.stop_when_idle()


@pytest.fixture(scope="session")
def cluster(prepared: Prepared, request: pytest.FixtureRequest):
    """The cluster, with its default service account in place."""
    made = request.getfixturevalue("kind_cluster")
    made.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
    return made
