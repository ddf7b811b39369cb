"""What others make of a status: the kstatus library that Flux and kpt go by, Argo CD, and ``kubectl wait``."""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from hack.install.machine import ROOT
from hack.install.tools import ARGO_HEALTH, KSTATUS

HEALTH = "resource.customizations.health.kourse.dev_"
"""Start of the key in Argo CD's configuration under which a kind's health is judged."""


def kstatus(resource):
    """Terminating, InProgress, Failed or Current, as the library says."""
    # Fields that objects in unit tests have no need of, but the library's model does.
    given = {"apiVersion": "kourse.dev/v1alpha1", "kind": "Course", **resource}
    done = subprocess.run(
        [KSTATUS.path], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)["status"]


def argo_health(resource):
    """Healthy, Progressing, Degraded or Suspended, as Argo CD's Lua makes of the documented script."""
    blocks = (ROOT / "docs" / "operator.md").read_text().split("```yaml\n")[1:]
    parsed = [yaml.safe_load(block.partition("```")[0]) for block in blocks]
    script = next(block[f"{HEALTH}Course"] for block in parsed if f"{HEALTH}Course" in block)
    with TemporaryDirectory() as directory:
        path = Path(directory) / "health.lua"
        path.write_text(script)
        done = subprocess.run(
            [ARGO_HEALTH.path, path],
            input=json.dumps(resource),
            capture_output=True,
            text=True,
            check=True,
        )
    return json.loads(done.stdout)["status"]


def wait_for_ready(resource):
    """Whether ``kubectl wait --for=condition=Ready`` is satisfied."""
    meta, status = resource["metadata"], resource.get("status", {})
    for item in status.get("conditions", []):
        if item["type"] == "Ready":
            observed = item.get("observedGeneration", status.get("observedGeneration"))
            is_current = observed is None or observed >= meta["generation"]
            return is_current and item["status"] == "True"
    return False
