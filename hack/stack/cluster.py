"""Puts definitions, roles and namespaces into the cluster, as a task of the stack."""

import subprocess
import sys
from pathlib import Path

from hack.install.venv import ENVIRONMENT
from hack.stack.kubernetes import CRDS, INFRASTRUCTURE, NAMESPACE
from hack.stack.layout import Layout

KUBECTL = str(ENVIRONMENT / "bin" / "kubectl")
FIELD_MANAGER = "kourse-stack"


def kubectl(layout: Layout, *arguments: str, text: str = "") -> str:
    """Run kubectl as administrator and return what it prints.

    Args:
        layout: The stack.
        arguments: Its arguments.
        text: Its standard input.

    Raises:
        subprocess.CalledProcessError: It failed; ``stderr`` says why.
    """
    command = [KUBECTL, "--kubeconfig", str(layout.kubeconfig), *arguments]
    cache = ["--cache-dir", str(layout.data("kubectl"))]
    done = subprocess.run(
        [*command, *cache], input=text, capture_output=True, text=True, check=True
    )
    return done.stdout


def apply(layout: Layout, path: Path) -> None:
    """Apply every manifest below a path, server-side; what others own in them is taken over."""
    flags = ["--server-side", "--force-conflicts", "--field-manager", FIELD_MANAGER]
    kubectl(layout, "apply", *flags, "--recursive", "-f", str(path))


def has_manifests(path: Path) -> bool:
    """Tell whether there is anything to apply below a path."""
    return any(path.rglob("*.yaml"))


def prepare(layout: Layout) -> None:
    """Apply the infrastructure and the definitions, and wait until the definitions are served."""
    apply(layout, INFRASTRUCTURE)
    manifest = kubectl(layout, "create", "namespace", NAMESPACE, "--dry-run=client", "-o", "yaml")
    kubectl(layout, "apply", "--server-side", "-f", "-", text=manifest)
    if has_manifests(CRDS):
        apply(layout, CRDS)
        until = ["--for=condition=Established", "--timeout=180s"]
        kubectl(layout, "wait", *until, "--recursive", "-f", str(CRDS))


def main() -> None:
    """Carry out the task; what kubectl complains about goes to the log."""
    try:
        prepare(Layout(Path(sys.argv[2])))
    except subprocess.CalledProcessError as failed:
        sys.exit(f"kubectl {failed.cmd[3]} failed: {failed.stderr}")


if __name__ == "__main__":
    main()
