"""Charts render, pass Helm's own lint, and a real API server accepts what they render.

The API server and its store live for the length of the check, in a state of their own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from hack.install.tools import HELM, KUBERNETES, build_tools
from hack.stack.lifecycle import ensure, stop
from hack.stack.profiles import Profile

ROOT = Path(__file__).resolve().parents[2]
KUBECTL = Path(sys.executable).parent / "kubectl"


def _charts() -> list[Path]:
    return sorted(path.parent for path in (ROOT / "charts").glob("*/Chart.yaml"))


def _run(*command: str | Path, stdin: str | None = None) -> str:
    ran = subprocess.run(
        [str(part) for part in command], input=stdin, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        sys.exit(
            f"{Path(command[0]).name} {' '.join(map(str, command[1:4]))}:\n{ran.stdout}{ran.stderr}"
        )
    return ran.stdout


def main() -> None:
    """Exits with what Helm or the API server said when it refuses a chart."""
    build_tools((HELM,))
    version = ("--kube-version", KUBERNETES)
    rendered = []
    for chart in _charts():
        _run(HELM.path, "lint", "--strict", *version, chart)
        rendered.append(_run(HELM.path, "template", "lint", *version, chart))
    with tempfile.TemporaryDirectory(prefix="kourse-lint-") as state:
        kubeconfig = ensure(Path(state), Profile.CLUSTER).kubeconfig
        try:
            # What a controller manager makes in every namespace; pods are refused without it.
            _run(KUBECTL, "--kubeconfig", kubeconfig, "create", "serviceaccount", "default")
            for manifests in rendered:
                dry_run = (
                    "apply",
                    "--server-side",
                    "--dry-run=server",
                    "--force-conflicts",
                    "-f",
                    "-",
                )
                _run(KUBECTL, "--kubeconfig", kubeconfig, *dry_run, stdin=manifests)
        finally:
            stop(Path(state))


if __name__ == "__main__":
    main()
