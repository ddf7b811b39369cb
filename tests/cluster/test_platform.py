"""The charts make a platform that serves learners, scales, and comes through upgrades and deaths."""

import json
import subprocess
from pathlib import Path

import pytest

from hack.kind.platform import RESTRICTED
from support.waiting import eventually

ENFORCED = RESTRICTED.partition("=")[0]
STUB = Path(__file__).with_name("external_metrics.py")
METRIC = "kourse_inbox_oldest_age_seconds"
UPGRADED = {"logLevel": "WARNING"}
SCALED = {
    **UPGRADED,
    "autoscaling": {
        "mode": "hpa",
        "services": {
            "gateway": None,
            "assessment": None,
            "notification": {"min": 1, "max": 2, "queueAgeSeconds": 20},
        },
    },
}


def found(platform, *what):
    """An object of the release's namespace, or a list of them."""
    return json.loads(platform.kubectl("-n", platform.namespace, "get", *what, "-o", "json"))


def holder(platform):
    """The name of the pod whose operator works."""
    lease = found(platform, "lease", "kourse-operator")
    return dig(lease, "spec", "holderIdentity").partition("_")[0]


def operators(platform):
    label = "app.kubernetes.io/component=operator"
    pods = found(platform, "pods", "-l", label)["items"]
    return {each["metadata"]["name"] for each in pods}


def settings_of(platform):
    """Component to the checksum of the settings that its pods are told."""
    template = "spec", "template", "metadata", "annotations", "checksum/settings"
    deployments = found(platform, "deployments")["items"]
    return {each["metadata"]["name"]: dig(each, *template) for each in deployments}


def dig(value, *path):
    for name in path:
        value = (value or {}).get(name)
    return value


class TestPlatform:
    def test_takes_a_learner_through_the_course(self, platform):
        assert "the quiz is graded" in platform.smoke()

    def test_passes_the_test_of_its_own_release(self, platform):
        assert "Phase:          Succeeded" in platform.helm("test", "kourse")

    def test_runs_whole_where_only_restricted_pods_are_admitted(self, platform):
        namespace = json.loads(
            platform.kubectl("get", "namespace", platform.namespace, "-o", "json")
        )
        assert dig(namespace, "metadata", "labels")[ENFORCED] == "restricted"
        deployments = found(platform, "deployments")["items"]
        assert {"kourse-gateway", "kourse-operator", "kourse-database"} <= {
            each["metadata"]["name"] for each in deployments
        }
        assert all(
            dig(each, "status", "readyReplicas") == dig(each, "spec", "replicas")
            for each in deployments
        )

    def test_goes_on_when_the_working_operator_dies(self, platform):
        before, dead = operators(platform), holder(platform)
        assert len(before) == 2
        assert dead in before
        now = ("--grace-period=0", "--force", "--wait=false")
        platform.kubectl("-n", platform.namespace, "delete", "pod", dead, *now)
        eventually(lambda: holder(platform) not in {dead, ""}, seconds=90)
        platform.wait_until_available()

    def test_migrates_again_and_rolls_out_what_a_changed_setting_concerns(self, platform):
        before = settings_of(platform)
        platform.install(UPGRADED)
        after = settings_of(platform)
        ours = {name for name, checksum in before.items() if checksum}
        assert {name for name in before if before[name] != after[name]} == ours
        (last,) = json.loads(platform.helm("list", "--filter", "^kourse$", "-o", "json"))
        job = found(platform, "job", f"kourse-migrate-{last['revision']}")
        assert dig(job, "status", "succeeded") == 1
        assert "the quiz is graded" in platform.smoke()


class TestScaling:
    @pytest.fixture
    def adapter(self, cluster, images, platform, current, tmp_path):
        """A stub of the external metrics API, by which one event has waited for five minutes."""
        if current and cluster.kubectl("get", "apiservice", API_SERVICE, "--ignore-not-found"):
            pytest.skip("the cluster has an adapter of its own")
        name = "kourse-test-metrics"
        cluster.kubectl("create", "namespace", name)
        certify(tmp_path, f"{name}.{name}.svc")
        files = (f"--from-file={path}" for path in (STUB, *sorted(tmp_path.glob("tls.*"))))
        cluster.kubectl("-n", name, "create", "secret", "generic", name, *files)
        arguments = [platform.namespace, METRIC, "consumer=notification", "300"]
        manifest = json.dumps(stub_of(name, images.kourse, arguments))
        cluster.kubectl("-n", name, "apply", "-f", "-", input=manifest)
        yield
        cluster.kubectl("delete", "apiservice", API_SERVICE)
        cluster.kubectl("delete", "namespace", name, "--timeout=120s")

    @pytest.mark.usefixtures("adapter")
    def test_follows_the_age_of_the_oldest_event_that_waits(self, platform):
        platform.install(SCALED)

        def ready():
            return dig(
                found(platform, "deployment", "kourse-notification"), "status", "readyReplicas"
            )

        assert eventually(lambda: ready() == 2, seconds=240)
        scaler = found(platform, "hpa", "kourse-notification")
        (metric,) = dig(scaler, "status", "currentMetrics")
        assert dig(metric, "external", "metric", "name") == METRIC
        assert dig(metric, "external", "current", "value") == "300"


API_SERVICE = "v1beta1.external.metrics.k8s.io"


def certify(folder, host):
    """Write a certificate of its own, which nobody has to trust, and its key."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", f"{folder}/tls.key", "-out", f"{folder}/tls.crt"]
    command = ["openssl", "req", "-x509", *key, *files, "-subj", f"/CN={host}"]
    subprocess.run(command, check=True, capture_output=True)


def stub_of(name, image, arguments):
    labels = {"app": name}
    pod = {
        "metadata": {"labels": labels},
        "spec": {
            "containers": [
                {
                    "name": "stub",
                    "image": image,
                    "command": ["python", f"/etc/stub/{STUB.name}", *arguments],
                    "volumeMounts": [{"name": "files", "mountPath": "/etc/stub"}],
                    "readinessProbe": {"tcpSocket": {"port": 8443}, "periodSeconds": 1},
                }
            ],
            "volumes": [{"name": "files", "secret": {"secretName": name}}],
        },
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": pod},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": labels, "ports": [{"port": 443, "targetPort": 8443}]},
    }
    group, version = "external.metrics.k8s.io", "v1beta1"
    registration = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": API_SERVICE},
        "spec": {
            "group": group,
            "version": version,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
            "service": {"name": name, "namespace": name},
        },
    }
    return {"apiVersion": "v1", "kind": "List", "items": [deployment, service, registration]}
