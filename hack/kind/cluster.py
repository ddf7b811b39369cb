"""Creates and deletes kind clusters."""

import os
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from hack.install.machine import PrerequisiteMissing
from hack.install.tools import KIND, KUBERNETES, build_tools
from hack.kind.docker import Docker
from hack.kind.node_image import ensure_node_image

REGISTRY = "https://registry-1.docker.io/v2/"
REGISTRY_SECONDS = 3.0
UNAUTHORIZED = 401
STOCK_IMAGE = f"kindest/node:{KUBERNETES}"


@dataclass(frozen=True)
class KindCluster:
    """A kind cluster, there or not.

    Attributes:
        docker: The engine its nodes run in.
        name: Its name.
        kubeconfig: Where its kubeconfig is.
    """

    docker: Docker
    name: str
    kubeconfig: Path

    def exists(self) -> bool:
        """Tell whether it is there."""
        return self.name in self._kind("get", "clusters").splitlines()

    def create(self) -> None:
        """Create it unless it is there, and wait until its node is ready.

        Raises:
            PrerequisiteMissing: kind fails.
        """
        if self.exists():
            self._kind("export", "kubeconfig", "--name", self.name, *self._where())
            return
        image = node_image(self.docker)
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        wait = ("--wait", "120s")
        self._kind(
            "create", "cluster", "--name", self.name, "--image", image, *wait, *self._where()
        )

    def load(self, *images: str) -> None:
        """Bring images of the engine onto every node; those that are there are left out.

        Raises:
            PrerequisiteMissing: kind fails.
        """
        self._kind("load", "docker-image", *images, "--name", self.name)

    def address(self) -> str:
        """Return the address of its first node, which this machine reaches.

        Raises:
            PrerequisiteMissing: The engine has no such node.
        """
        return self.docker.address_of(f"{self.name}-control-plane")

    def delete(self) -> None:
        """Delete it; nothing happens when it is not there.

        Raises:
            PrerequisiteMissing: kind fails.
        """
        self._kind("delete", "cluster", "--name", self.name, *self._where())
        self.kubeconfig.unlink(missing_ok=True)

    def _where(self) -> tuple[str, str]:
        return "--kubeconfig", str(self.kubeconfig)

    def _kind(self, *arguments: str) -> str:
        build_tools((KIND,))
        done = subprocess.run(
            [str(KIND.path), *arguments],
            env=self.docker.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            reason = " / ".join(done.stderr.strip().splitlines()[-6:])
            raise PrerequisiteMissing(f"`kind {' '.join(arguments[:2])}` failed: {reason}")
        return done.stdout


def node_image(docker: Docker) -> str:
    """Return the node image to use: the one named by ``KIND_NODE_IMAGE``, upstream's, or ours.

    Upstream's is taken when the engine has it or a registry is reachable.

    Raises:
        PrerequisiteMissing: Ours cannot be built.
    """
    named = os.environ.get("KIND_NODE_IMAGE")
    if named:
        return named
    if docker.has_image(STOCK_IMAGE) or registry_reachable():
        return STOCK_IMAGE
    return ensure_node_image(docker)


def registry_reachable() -> bool:
    """Tell whether Docker Hub answers; it asks for a token, which is answer enough."""
    try:
        urllib.request.urlopen(REGISTRY, timeout=REGISTRY_SECONDS)
    except urllib.error.HTTPError as answer:
        return answer.code == UNAUTHORIZED
    except (urllib.error.URLError, OSError):
        return False
    return True
