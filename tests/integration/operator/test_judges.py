"""Judges that are not ours have nothing to say against the samples and the definitions."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hack.gen.crds import CRDS
from hack.install.machine import ROOT
from hack.install.tools import KUBECTL_VALIDATE

SAMPLES = ROOT / "manifests" / "samples"
BUNDLED = "1.30"
"""The newest version whose own kinds kubectl-validate brings along; ours come from the definitions."""
KUBECTL = Path(sys.executable).with_name("kubectl")


def validate(*paths):
    """What kubectl-validate says, which has the API server's own code and no server."""
    command = [KUBECTL_VALIDATE.path, *paths, "--local-crds", CRDS]
    version = ["--version", BUNDLED]
    return subprocess.run(
        [str(word) for word in [*command, *version]], capture_output=True, text=True, check=False
    )


def kubectl(servers, *arguments):
    command = [KUBECTL, "--kubeconfig", servers.endpoints.kubeconfig, *arguments]
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False
    )


class TestKubectlValidate:
    def test_accepts_every_sample(self):
        done = validate(*sorted(SAMPLES.rglob("*.yaml")))
        assert done.returncode == 0, done.stderr

    def test_refuses_what_breaks_a_rule(self, tmp_path):
        course = {
            "apiVersion": "kourse.dev/v1alpha1",
            "kind": "Course",
            "metadata": {"name": "one"},
            "spec": {"title": "T", "summary": "S", "chapters": []},
        }
        (tmp_path / "course.yaml").write_text(yaml.safe_dump(course))
        assert validate(tmp_path / "course.yaml").returncode == 1


class TestApiServer:
    @pytest.mark.parametrize("path", [CRDS, ROOT / "manifests" / "infra"], ids=lambda p: p.name)
    def test_accepts_what_is_applied_without_changing_it(self, servers, path):
        flags = ("apply", "--server-side", "--dry-run=server", "--force-conflicts", "--recursive")
        done = kubectl(servers, *flags, "-f", path)
        assert done.returncode == 0, done.stderr

    def test_accepts_every_sample_and_knows_every_field(self, servers):
        flags = ("create", "--dry-run=server", "--validate=strict", "--recursive")
        done = kubectl(servers, *flags, "-n", "default", "-f", SAMPLES)
        assert done.returncode == 0, done.stderr
        assert "Warning" not in done.stderr

    @pytest.mark.parametrize("plural", ["courses", "questionpools", "examconfigs", "cohorts"])
    def test_finds_the_definitions_structural(self, servers, plural):
        query = 'jsonpath={.status.conditions[?(@.type=="NonStructuralSchema")].status}'
        done = kubectl(servers, "get", "crd", f"{plural}.kourse.dev", "-o", query)
        assert (done.returncode, done.stdout) == (0, "")
