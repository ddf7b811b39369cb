"""The cluster that the tests make is a real one: it schedules, resolves names and refuses."""

import os
import subprocess

import pytest
from pykube import Node

from hack.install.tools import KUBERNETES
from support.rendering import COMBINATIONS, render

DRY_RUN = ("apply", "--server-side", "--dry-run=server", "--force-conflicts")
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: main
      image: registry.k8s.io/kube-proxy:{version}
      imagePullPolicy: Never
      command: [sh, -c, sleep 600]
      {security}
"""


class TestNode:
    def test_is_ready_and_of_the_stated_version(self, cluster):
        nodes = list(Node.objects(cluster.api))
        versions = [node.obj["status"]["nodeInfo"]["kubeletVersion"] for node in nodes]
        assert versions == [KUBERNETES]

    def test_answers_for_the_cluster_s_names(self, cluster):
        cluster.kubectl(
            "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=120s"
        )
        apply(cluster, POD.format(name="client", version=KUBERNETES, security=""))
        cluster.kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=60s")
        answer = cluster.kubectl("exec", "client", "--", "cat", "/etc/resolv.conf")
        assert "svc.cluster.local" in answer

    def test_refuses_a_privileged_pod_where_the_namespace_is_restricted(self, cluster):
        cluster.kubectl("create", "namespace", "strict")
        cluster.kubectl(
            "label", "namespace", "strict", "pod-security.kubernetes.io/enforce=restricted"
        )
        privileged = POD.format(
            name="evil", version=KUBERNETES, security="securityContext: {privileged: true}"
        )
        with pytest.raises(subprocess.CalledProcessError) as refused:
            apply(cluster, privileged, "-n", "strict")
        assert "violates PodSecurity" in refused.value.stderr


def apply(cluster, manifest, *where):
    cluster.kubectl("apply", *where, "-f", "-", input=manifest, stderr=subprocess.PIPE)


class TestChart:
    @pytest.mark.parametrize("combination", COMBINATIONS)
    def test_is_accepted_by_a_restricted_namespace(self, cluster, combination):
        settings = COMBINATIONS[combination]
        for namespace in ("kourse", "school"):
            manifest = cluster.kubectl(
                "create", "namespace", namespace, "--dry-run=client", "-o", "yaml"
            )
            cluster.kubectl("apply", "-f", "-", input=manifest)
            cluster.kubectl(
                "label",
                "--overwrite",
                "namespace",
                namespace,
                "pod-security.kubernetes.io/enforce=restricted",
                "pod-security.kubernetes.io/warn=restricted",
            )
        # The context's namespace, not a flag: some objects name another one.
        cluster.kubectl("config", "set-context", "--current", "--namespace=kourse")
        said = subprocess.run(
            [str(cluster.kubectl_path), *DRY_RUN, "-f", "-"],
            env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig_path)},
            input=render(*settings),
            capture_output=True,
            text=True,
            check=False,
        )
        cluster.kubectl("config", "set-context", "--current", "--namespace=default")
        assert (said.returncode, said.stderr) == (0, "")
