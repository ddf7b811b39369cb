"""Puts kourse into a cluster: images, charts, sample people and the sample course."""

import base64
import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hack.images.__main__ import build_all, kourse_tag
from hack.images.builder import Builder
from hack.install.machine import ROOT, PrerequisiteMissing, report
from hack.install.tools import HELM, build_tools
from hack.install.venv import ENVIRONMENT
from hack.kind.cluster import KindCluster
from hack.stack.people import ADMIN, LEARNER, TEACHER, admit

NAMESPACE = "kourse"
TENANT = "demo"
NODE_PORTS = {"gateway": 30080, "objectStore": 30900, "mail": 30025}
READY_SECONDS = 300
SAMPLES = ROOT / "manifests" / "samples"
KINDS = "courses.kourse.dev,questionpools.kourse.dev,examconfigs.kourse.dev,cohorts.kourse.dev"


@dataclass(frozen=True)
class Platform:
    """kourse in one cluster.

    Attributes:
        kubeconfig: The cluster's.
        folder: Where passwords of sample people are kept.
    """

    kubeconfig: Path
    folder: Path

    def install(self, evaluation_image: str) -> None:
        """Install or upgrade both charts with the evaluation bundle, and wait until all is ready.

        Raises:
            PrerequisiteMissing: Helm or kubectl fails; the text says why.
        """
        started = time.monotonic()
        build_tools((HELM,))
        self._namespace(NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        self._namespace(TENANT)
        address = self._node_address()
        values = {
            "publicUrl": f"http://{address}:{NODE_PORTS['gateway']}",
            "defaults": {"replicas": 1},
            "objectStore": {"publicEndpoint": f"http://{address}:{NODE_PORTS['objectStore']}"},
            "evaluation": {
                "enabled": True,
                "image": evaluation_image,
                "nodePorts": NODE_PORTS,
            },
        }
        repository, _, tag = kourse_tag().rpartition(":")
        values["image"] = {"repository": repository, "tag": tag}
        file = self.folder / "values.json"
        file.write_text(json.dumps(values, indent=1))
        self._helm("kourse-crds")
        self._helm("kourse", "--values", str(file))
        wait = ["--for=condition=Available", "deployment", "--all"]
        self.kubectl("-n", NAMESPACE, "wait", *wait, f"--timeout={READY_SECONDS}s")
        report("kourse", f"ready at {values['publicUrl']}", started)

    def bring_samples(self) -> None:
        """Let the sample people in, apply the sample course, send its assets, wait until it lives.

        Raises:
            PrerequisiteMissing: A step fails; the text says why.
        """
        started = time.monotonic()
        for person in (TEACHER, LEARNER):
            file = self.folder / person.secret
            if not file.exists():
                file.write_text(base64.urlsafe_b64encode(os.urandom(18)).decode())
        people = [
            (person, (self.folder / person.secret).read_text()) for person in (TEACHER, LEARNER)
        ]
        admit(self.url("gateway"), self._admin_password(), people)
        self.kubectl("-n", TENANT, "apply", "--server-side", "--recursive", "-f", str(SAMPLES))
        command = [str(ENVIRONMENT / "bin" / "kourse"), "push-assets", str(SAMPLES)]
        _run(command, {**os.environ, **self.environment()})
        ready = ["--for=condition=Ready", "--all", f"--timeout={READY_SECONDS}s", KINDS]
        self.kubectl("-n", TENANT, "wait", *ready)
        report("samples", "live", started)

    def smoke(self) -> None:
        """Take a new learner through the sample course, against pods.

        Raises:
            PrerequisiteMissing: A step of the learner fails; the text says which.
        """
        command = [str(ENVIRONMENT / "bin" / "python"), "-m", "hack.smoke"]
        state = {"KOURSE_STATE": str(self.folder)}
        exports = "".join(f"export {name}={text}\n" for name, text in self.environment().items())
        (self.folder / "env").write_text(exports)
        print(_run(command, {**os.environ, **state, **self.environment()}), end="")

    def environment(self) -> dict[str, str]:
        """Return what the command line and the smoke have to know."""
        return {
            "KOURSE_URL": self.url("gateway"),
            "KOURSE_MAILBOX_URL": self.url("mail"),
            "KUBECONFIG": str(self.kubeconfig),
            "KOURSE_NAMESPACE": TENANT,
            "KOURSE_TEACHER_EMAIL": TEACHER.email,
            "KOURSE_TEACHER_PASSWORD_FILE": str(self.folder / TEACHER.secret),
            "KOURSE_ADMIN_EMAIL": ADMIN.email,
            "PATH": f"{ENVIRONMENT / 'bin'}:{os.environ['PATH']}",
        }

    def url(self, name: str) -> str:
        """Return the address of a port of the node: gateway, objectStore or mail."""
        return f"http://{self._node_address()}:{NODE_PORTS[name]}"

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl and return what it prints.

        Raises:
            PrerequisiteMissing: It fails; the text says why.
        """
        command = [str(ENVIRONMENT / "bin" / "kubectl"), "--kubeconfig", str(self.kubeconfig)]
        return _run([*command, *arguments], os.environ, text)

    def _namespace(self, name: str, *labels: str) -> None:
        manifest = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": dict(each.split("=", 1) for each in labels)},
        }
        self.kubectl("apply", "--server-side", "-f", "-", text=json.dumps(manifest))

    def _node_address(self) -> str:
        path = '{.items[0].status.addresses[?(@.type=="InternalIP")].address}'
        return self.kubectl("get", "nodes", "-o", f"jsonpath={path}")

    def _admin_password(self) -> str:
        secret = ["get", "secret", "kourse-evaluation-bootstrap-admin"]
        where = ["-n", NAMESPACE, "-o", "jsonpath={.data.password}"]
        return base64.b64decode(self.kubectl(*secret, *where)).decode()

    def _helm(self, chart: str, *options: str) -> None:
        where = ["--kubeconfig", str(self.kubeconfig), "--namespace", NAMESPACE]
        path = str(ROOT / "charts" / chart)
        _run([str(HELM.path), "upgrade", "--install", chart, path, *where, *options], os.environ)


def bring_up(cluster: KindCluster) -> Platform:
    """Build and load the images, install everything and return the platform.

    Raises:
        PrerequisiteMissing: A step fails; the text says why.
    """
    images = build_all(Builder("docker", cluster.docker.environment))
    started = time.monotonic()
    for image in images:
        cluster.load(image)
    report("images", "on the node", started)
    platform = Platform(cluster.kubeconfig, cluster.kubeconfig.parent)
    platform.install(images[-1])
    return platform


def _run(command: list[str], environment: Mapping[str, str], text: str | None = None) -> str:
    done = subprocess.run(
        command, env=environment, input=text, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        reason = " / ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-4:])
        raise PrerequisiteMissing(f"`{' '.join([Path(command[0]).name, *command[1:3]])}`: {reason}")
    return done.stdout
