"""A cluster for the run: one of kind's, gone afterwards, or with ``CLUSTER=current`` the kubeconfig's own.

In a cluster that is there already nothing is built: ``KOURSE_IMAGE``, ``KOURSE_RUNNER_IMAGE`` and
``KOURSE_EVALUATION_IMAGE`` name images that its nodes can pull. What the tests install is removed again, but for
definitions.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pykube
import pytest
from pytest_kind import KindCluster

from hack.images.build import Images, build_all
from hack.images.builder import Builder
from hack.install.machine import PrerequisiteMissing, is_ours_to_furnish
from hack.install.tools import KIND, build_tools
from hack.kind import engine
from hack.kind.cluster import node_image
from hack.kind.docker import Docker
from hack.kind.platform import Platform
from hack.kind.reach import KUBECTL, Forwards, by_node_ports
from hack.stack.layout import write_private
from support.machine import traces

CURRENT = os.environ.get("CLUSTER", "kind") == "current"
SECONDS = 600
"""For one test with what it is the first to ask for: images, a cluster, the platform."""


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest-kind which programs to use, and a name, unless the command line has one."""
    config.option.kind_bin = str(KIND.path)
    config.option.kind_kubectl_bin = KUBECTL
    if config.option.cluster_name == "pytest-kind":
        config.option.cluster_name = f"kourse-test-{os.getpid()}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give these tests the time that building takes."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(SECONDS))


@pytest.fixture(scope="session")
def current() -> bool:
    """Whether the cluster is somebody's own and not made for the run."""
    return CURRENT


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """An engine that runs; its absence is a failure where one could be installed.

    One that was started for the run is gone afterwards, without a trace.
    """
    before = None if engine.find() else traces()
    try:
        running = engine.ensure()
    except PrerequisiteMissing as missing:
        refuse = pytest.fail if is_ours_to_furnish() else pytest.skip
        refuse(f"no cluster can be made here: {missing}")
    yield running
    if engine.stop_when_idle() and before is not None:
        assert traces() == before


@pytest.fixture(scope="session")
def workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """A folder for the cluster's files, in which pytest-kind works for as long as there is a cluster."""
    folder = tmp_path_factory.mktemp("kind")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        if not CURRENT:
            docker = request.getfixturevalue("docker")
            if docker.host:
                patch.setenv("DOCKER_HOST", docker.host)
            build_tools((KIND,))
            request.config.option.kind_image = node_image(docker)
            request.config.option.kubeconfig = str(folder / "kubeconfig")
        yield folder


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, workspace: Path) -> KindCluster:
    """The cluster, with its default service account in place."""
    own = workspace / "kubeconfig"
    made: KindCluster = _current(own) if CURRENT else request.getfixturevalue("kind_cluster")
    made.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
    return made


@pytest.fixture(scope="session")
def images(request: pytest.FixtureRequest, cluster: KindCluster) -> Images:
    """The images, on the nodes or where these can pull them."""
    if CURRENT:
        return Images(
            os.environ["KOURSE_IMAGE"],
            os.environ["KOURSE_RUNNER_IMAGE"],
            os.environ["KOURSE_EVALUATION_IMAGE"],
        )
    docker = request.getfixturevalue("docker")
    built = build_all(Builder("docker", docker.environment))
    for each in (built.kourse, built.runner, built.evaluation):
        cluster.load_docker_image(each)
    return built


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest, cluster: KindCluster, images: Images):
    """The platform with its evaluation bundle and the sample course, in namespaces of its own."""
    folder, kubeconfig = cluster.kubeconfig_path.parent, cluster.kubeconfig_path
    if CURRENT:
        reach = Forwards(kubeconfig, "kourse-test", "kourse")
    else:
        docker = request.getfixturevalue("docker")
        reach = by_node_ports(docker.address_of(f"{cluster.name}-control-plane"))
    made = Platform(kubeconfig, folder, reach, images, "kourse-test", "kourse-test-demo")
    try:
        made.install({"operator": {"namespaces": [made.tenant]}} if CURRENT else {})
        made.bring_samples()
        yield made
        if CURRENT:
            made.uninstall()
    finally:
        reach.close()


def _current(kubeconfig: Path) -> KindCluster:
    """What the user's kubeconfig leads to, by a copy of its current context."""
    command = [KUBECTL, "config", "view", "--raw", "--minify", "--flatten"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"CLUSTER=current, but the kubeconfig has no context: {done.stderr}")
    write_private(kubeconfig, done.stdout)
    made = KindCluster("current", kubeconfig, kubectl_path=Path(KUBECTL))
    made.api = pykube.HTTPClient(pykube.KubeConfig.from_file(kubeconfig))
    return made
