"""A real API server admits every combination of values, into restricted namespaces."""

import os
import subprocess

import pytest

from hack.install.definitions import definitions
from support.rendering import COMBINATIONS, FOREIGN, render

RELEASE = "kourse-test-dry"
NAMESPACES = (RELEASE, "school")
LEVELS = ("enforce", "warn")
DRY_RUN = ("apply", "--server-side", "--dry-run=server", "--force-conflicts")


@pytest.fixture(scope="module")
def namespaces(cluster):
    """Namespaces that refuse what is not restricted, and warn of it where only controllers would see."""
    for name in NAMESPACES:
        cluster.kubectl("create", "namespace", name)
        labels = (f"pod-security.kubernetes.io/{level}=restricted" for level in LEVELS)
        cluster.kubectl("label", "namespace", name, *labels)
    # The context's namespace, not a flag: some objects name another one.
    cluster.kubectl("config", "set-context", "--current", f"--namespace={RELEASE}")
    yield
    cluster.kubectl("config", "set-context", "--current", "--namespace=default")
    cluster.kubectl("delete", "namespace", *NAMESPACES, "--timeout=120s")


@pytest.fixture(scope="module")
def foreign(cluster, current):
    """The kinds of other projects."""
    if current:
        pytest.skip("the definitions of other projects are not put into a cluster of yours")
    where = ("-f", str(definitions()))
    cluster.kubectl("apply", "--server-side", *where)
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", *where)


def said_of(cluster, *settings):
    """The exit status and every warning and error about what these settings render."""
    done = subprocess.run(
        [str(cluster.kubectl_path), *DRY_RUN, "-f", "-"],
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig_path)},
        input=render(*settings, release=RELEASE),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.usefixtures("namespaces")
class TestChart:
    @pytest.mark.parametrize("combination", COMBINATIONS)
    def test_is_admitted_without_a_warning(self, cluster, combination):
        assert said_of(cluster, *COMBINATIONS[combination]) == (0, "")

    @pytest.mark.usefixtures("foreign")
    @pytest.mark.parametrize("combination", FOREIGN)
    def test_is_admitted_with_kinds_of_other_projects(self, cluster, combination):
        assert said_of(cluster, *FOREIGN[combination]) == (0, "")
