"""The cluster that the tests run in is a real one: it schedules, resolves names and refuses."""

import json
import subprocess

import pytest
from pykube import Node

from hack.install.tools import KUBERNETES
from support.rendering import SUPPORTED

SECURE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


@pytest.fixture(scope="module")
def strict(cluster):
    """A namespace that admits restricted pods only."""
    name = "kourse-test-strict"
    cluster.kubectl("create", "namespace", name)
    label = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", name, label)
    cluster.kubectl("-n", name, "wait", "--for=create", "serviceaccount/default", "--timeout=60s")
    yield name
    cluster.kubectl("delete", "namespace", name, "--timeout=120s")


def run(cluster, namespace, image, name, program, security=SECURE):
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "containers": [
                {
                    "name": "main",
                    "image": image,
                    "command": ["python", "-c", program],
                    "securityContext": security,
                }
            ],
        },
    }
    text = json.dumps(pod)
    cluster.kubectl("-n", namespace, "apply", "-f", "-", input=text, stderr=subprocess.PIPE)
    ended = "--for=jsonpath={.status.phase}=Succeeded"
    cluster.kubectl("-n", namespace, "wait", ended, f"pod/{name}", "--timeout=120s")
    return cluster.kubectl("-n", namespace, "logs", name).strip()


class TestNode:
    def test_is_ready_and_of_a_supported_version(self, cluster, current):
        nodes = list(Node.objects(cluster.api))
        versions = {node.obj["status"]["nodeInfo"]["kubeletVersion"] for node in nodes}
        assert {".".join(each.lstrip("v").split(".")[:2]) for each in versions} <= set(SUPPORTED)
        assert current or versions == {KUBERNETES}

    def test_answers_for_the_cluster_s_names(self, cluster, images, strict):
        cluster.kubectl(
            "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=120s"
        )
        expected = cluster.kubectl(
            "get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}"
        )
        program = "import socket; print(socket.gethostbyname('kubernetes.default.svc'))"
        assert run(cluster, strict, images.kourse, "names", program) == expected

    def test_refuses_a_privileged_pod_where_the_namespace_is_restricted(
        self, cluster, images, strict
    ):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            run(cluster, strict, images.kourse, "evil", "pass", {"privileged": True})
        assert "violates PodSecurity" in refused.value.stderr
