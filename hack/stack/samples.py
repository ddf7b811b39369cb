"""Brings the sample course to life on a running stack."""

from hack.install.machine import ROOT
from hack.stack.cluster import FIELD_MANAGER, kubectl
from hack.stack.kubernetes import NAMESPACE
from hack.stack.layout import Layout

SAMPLES = ROOT / "manifests" / "samples"
KINDS = "courses.kourse.dev,questionpools.kourse.dev,examconfigs.kourse.dev,cohorts.kourse.dev"
READY_SECONDS = 120


def apply_samples(layout: Layout) -> None:
    """Apply the manifests of the sample course.

    Raises:
        subprocess.CalledProcessError: The API server refuses them; ``stderr`` says why.
    """
    flags = ["--server-side", "--force-conflicts", "--field-manager", FIELD_MANAGER]
    kubectl(layout, "apply", "-n", NAMESPACE, *flags, "--recursive", "-f", str(SAMPLES))


def wait_until_ready(layout: Layout) -> None:
    """Wait until the operator has made everything of the sample course.

    Raises:
        subprocess.CalledProcessError: Something is not Ready in time; ``stderr`` names it.
    """
    until = ["--for=condition=Ready", "--all", f"--timeout={READY_SECONDS}s"]
    kubectl(layout, "wait", "-n", NAMESPACE, *until, KINDS)
