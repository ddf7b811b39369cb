"""The cluster that the tests make is a real one: it schedules, resolves names and refuses."""

import subprocess

import pytest
from pykube import Node

from hack.install.tools import KUBERNETES

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
