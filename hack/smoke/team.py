"""The platform team: who applies manifests and sends the files that they name."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hack.smoke import manifests
from hack.smoke.person import Unexpected
from hack.smoke.target import Target


@dataclass(frozen=True)
class Team:
    """kubectl and the ``kourse`` command, for one running platform."""

    target: Target

    def apply(self, *documents: dict[str, Any]) -> None:
        """``kubectl apply`` of these documents, as the platform team."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        self.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(listed))

    def push_assets(self, course: dict[str, Any]) -> None:
        """``kourse push-assets`` of the files that the course names, as its author.

        Raises:
            Unexpected: It failed; the message carries what it said.
        """
        with TemporaryDirectory() as folder:
            (Path(folder) / "course.json").write_text(json.dumps(course))
            (Path(folder) / "assets").symlink_to(manifests.SAMPLES / "assets")
            who = ["--url", self.target.url, "--email", self.target.teacher_email]
            who += ["--password-file", str(self.target.teacher_password_file)]
            command = [self.target.kourse, "push-assets", folder, *who]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise Unexpected(ran.stderr.strip())

    def wait_ready(self, resource: str) -> None:
        """``kubectl wait`` until the resource is Ready."""
        self.kubectl("wait", "--for=condition=Ready", resource, "--timeout=240s")

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """What kubectl printed.

        Raises:
            Unexpected: It failed; the message carries what it said.
        """
        command = [self.target.kubectl, "--kubeconfig", str(self.target.kubeconfig)]
        command += ["--namespace", self.target.namespace, *arguments]
        ran = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise Unexpected(f"kubectl {' '.join(arguments)}: {ran.stderr.strip()}")
        return ran.stdout
