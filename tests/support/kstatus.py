"""What others make of a status: the kstatus library that Flux and kpt go by, and ``kubectl wait``."""

import json
import subprocess

from hack.install.tools import KSTATUS


def kstatus(resource):
    """Terminating, InProgress, Failed or Current, as the library says."""
    # Fields that objects in unit tests have no need of, but the library's model does.
    given = {"apiVersion": "kourse.dev/v1alpha1", "kind": "Course", **resource}
    done = subprocess.run(
        [KSTATUS.path], input=json.dumps(given), capture_output=True, text=True, check=True
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
