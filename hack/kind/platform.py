"""Puts kourse into a cluster: charts, sample people and the sample course."""

import base64
import json
import os
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.images.build import Images
from hack.install.machine import ROOT, PrerequisiteMissing, report
from hack.install.tools import HELM, build_tools
from hack.install.venv import ENVIRONMENT
from hack.kind.reach import KUBECTL, Reach
from hack.stack.people import ADMIN, LEARNER, TEACHER, admit

RELEASE = "kourse"
NAMESPACE = "kourse"
TENANT = "demo"
READY_SECONDS = 300
SAMPLES = ROOT / "manifests" / "samples"
KINDS = "courses.kourse.dev,questionpools.kourse.dev,examconfigs.kourse.dev,cohorts.kourse.dev"
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


@dataclass(frozen=True)
class Platform:
    """kourse in one cluster.

    Attributes:
        kubeconfig: The cluster's.
        folder: Where passwords of sample people are kept.
        reach: How the outside reaches it.
        images: What it runs from; the nodes have them or can pull them.
        namespace: The release's namespace.
        tenant: The namespace, and so the tenant, of the sample course.
    """

    kubeconfig: Path
    folder: Path
    reach: Reach
    images: Images
    namespace: str = NAMESPACE
    tenant: str = TENANT

    def install(self, more: Mapping[str, Any] | None = None) -> float:
        """Install or upgrade both charts with the evaluation bundle, and wait until all is ready.

        Args:
            more: Values beside those that a single node of a test cluster asks for.

        Returns:
            The seconds from Helm's start until the last Deployment was available.

        Raises:
            PrerequisiteMissing: Helm or kubectl fails; the text says why.
        """
        build_tools((HELM,))
        self._namespace(self.namespace, RESTRICTED)
        self._namespace(self.tenant)
        file = self.folder / "values.json"
        file.write_text(json.dumps({**self._values(), **(more or {})}, indent=1))
        started = time.monotonic()
        if not self._has_definitions():
            self._install_chart("kourse-crds", "kourse-crds")
        self._install_chart(RELEASE, "kourse", "--values", str(file))
        self.wait_until_available()
        report("kourse", f"ready at {self.reach.urls['gateway']}", started)
        seconds = time.monotonic() - started
        self._settle()
        return seconds

    def uninstall(self) -> None:
        """Remove the release and both namespaces with all that is in them; the definitions stay.

        Raises:
            PrerequisiteMissing: Helm or kubectl fails; the text says why.
        """
        # Objects first, while an operator is there to take leave of their back ends.
        self.kubectl("-n", self.tenant, "delete", "--all", KINDS, "--timeout=60s")
        self.helm("uninstall", RELEASE, "--wait")
        self.kubectl("delete", "namespace", self.namespace, self.tenant, "--timeout=120s")

    def wait_until_available(self) -> None:
        """Wait until every Deployment has rolled out.

        Raises:
            PrerequisiteMissing: One does not in time.
        """
        limit = f"--timeout={READY_SECONDS}s"
        names = self.kubectl("-n", self.namespace, "get", "deployment", "-o", "name").split()
        for name in names:
            self.kubectl("-n", self.namespace, "rollout", "status", name, limit)

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
        admit(self.reach.urls["gateway"], self._admin_password(), people)
        self.kubectl("-n", self.tenant, "apply", "--server-side", "--recursive", "-f", str(SAMPLES))
        command = [str(ENVIRONMENT / "bin" / "kourse"), "push-assets", str(SAMPLES)]
        _run(command, {**os.environ, **self.environment()})
        ready = ["--for=condition=Ready", "--all", f"--timeout={READY_SECONDS}s", KINDS]
        self.kubectl("-n", self.tenant, "wait", *ready)
        report("samples", "live", started)

    def smoke(self) -> str:
        """Take a new learner through the sample course, against pods, and return what it prints.

        Raises:
            PrerequisiteMissing: A step of the learner fails; the text says which.
        """
        command = [str(ENVIRONMENT / "bin" / "python"), "-m", "hack.smoke"]
        state = {"KOURSE_STATE": str(self.folder)}
        exports = "".join(f"export {name}={text}\n" for name, text in self.environment().items())
        (self.folder / "env").write_text(exports)
        return _run(command, {**os.environ, **state, **self.environment()})

    def environment(self) -> dict[str, str]:
        """Return what the command line and the smoke have to know."""
        return {
            "KOURSE_URL": self.reach.urls["gateway"],
            "KOURSE_MAILBOX_URL": self.reach.urls["mail"],
            "KUBECONFIG": str(self.kubeconfig),
            "KOURSE_NAMESPACE": self.tenant,
            "KOURSE_TEACHER_EMAIL": TEACHER.email,
            "KOURSE_TEACHER_PASSWORD_FILE": str(self.folder / TEACHER.secret),
            "KOURSE_ADMIN_EMAIL": ADMIN.email,
            "PATH": f"{ENVIRONMENT / 'bin'}:{os.environ['PATH']}",
        }

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Run kubectl and return what it prints.

        Raises:
            PrerequisiteMissing: It fails; the text says why.
        """
        command = [KUBECTL, "--kubeconfig", str(self.kubeconfig)]
        return _run([*command, *arguments], os.environ, text)

    def helm(self, *arguments: str) -> str:
        """Run Helm in the release's namespace and return what it prints.

        Raises:
            PrerequisiteMissing: It fails; the text says why.
        """
        where = ["--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace]
        return _run([str(HELM.path), *arguments, *where], os.environ)

    def _values(self) -> dict[str, Any]:
        return {
            "image": _named(self.images.kourse),
            "runner": {"image": _named(self.images.runner)},
            "publicUrl": self.reach.urls["gateway"],
            "defaultTenant": self.tenant,
            "defaults": {"replicas": 1},
            "objectStore": {"publicEndpoint": self.reach.urls["objectStore"]},
            "evaluation": {
                "enabled": True,
                "image": self.images.evaluation,
                "nodePorts": dict(self.reach.node_ports),
            },
        }

    def _settle(self) -> None:
        """Wait until replaced pods are gone, and lead the outside to those in their place."""
        path = "{range .items[?(@.metadata.deletionTimestamp)]}pod/{.metadata.name} {end}"
        here = ("-n", self.namespace)
        leaving = self.kubectl(*here, "get", "pods", "-o", f"jsonpath={path}").split()
        if leaving:
            self.kubectl(*here, "wait", "--for=delete", "--timeout=90s", *leaving)
        self.reach.renew()

    def _has_definitions(self) -> bool:
        """Tell whether somebody else's release holds the definitions; they belong to the cluster."""
        path = "jsonpath={.metadata.annotations.meta\\.helm\\.sh/release-namespace}"
        get = ("get", "crd", "courses.kourse.dev", "--ignore-not-found", "-o", path)
        return self.kubectl(*get) not in {"", self.namespace}

    def _namespace(self, name: str, *labels: str) -> None:
        manifest = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": dict(each.split("=", 1) for each in labels)},
        }
        self.kubectl("apply", "--server-side", "-f", "-", text=json.dumps(manifest))

    def _admin_password(self) -> str:
        secret = ["get", "secret", f"{RELEASE}-evaluation-bootstrap-admin"]
        where = ["-n", self.namespace, "-o", "jsonpath={.data.password}"]
        return base64.b64decode(self.kubectl(*secret, *where)).decode()

    def _install_chart(self, release: str, chart: str, *options: str) -> None:
        self.helm("upgrade", "--install", release, str(ROOT / "charts" / chart), *options)


def _named(image: str) -> dict[str, str]:
    """Return the chart's values for an image's name."""
    repository, _, tag = image.rpartition(":")
    return {"repository": repository, "tag": tag}


def _run(command: list[str], environment: Mapping[str, str], text: str | None = None) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input=text, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        reason = " / ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-4:])
        raise PrerequisiteMissing(f"`{' '.join([Path(command[0]).name, *command[1:3]])}`: {reason}")
    return done.stdout
