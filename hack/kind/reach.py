"""How somebody outside of a cluster reaches what runs in it."""

import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

from hack.install.machine import PrerequisiteMissing
from hack.install.venv import ENVIRONMENT

KUBECTL = str(ENVIRONMENT / "bin" / "kubectl")
NODE_PORTS = {"gateway": 30080, "objectStore": 30900, "mail": 30025}
SERVICES = {
    "gateway": ("gateway", 8080),
    "objectStore": ("object-store", 9000),
    "mail": ("mail", 8025),
}
"""What is reached: the component that the chart names, and its port."""
AGAIN_SECONDS = 0.2
BEGIN_SECONDS = 60.0
END_SECONDS = 5.0


@dataclass
class Reach:
    """Addresses for the outside.

    Attributes:
        urls: Address of gateway, objectStore and mail, without a trailing slash.
        node_ports: Ports of the nodes that lead to them; empty where none do.
    """

    urls: Mapping[str, str]
    node_ports: Mapping[str, int] = field(default_factory=dict)

    def renew(self) -> None:
        """Lead to the pods that are there now; ports of nodes do so by themselves."""

    def close(self) -> None:
        """Nothing leads there any more as far as this process saw to it."""


def by_node_ports(address: str) -> Reach:
    """Return the way by ports of a node that this machine can reach, as that of a kind cluster."""
    urls = {name: f"http://{address}:{port}" for name, port in NODE_PORTS.items()}
    return Reach(urls, NODE_PORTS)


class Forwards(Reach):
    """The way into any cluster: kubectl forwards ports of this machine for as long as this lives."""

    def __init__(self, kubeconfig: Path, namespace: str, release: str) -> None:
        """Start forwarding; until the release is there, nobody answers.

        Args:
            kubeconfig: The cluster's.
            namespace: The release's namespace.
            release: The release's name.
        """
        ports = _free_ports(len(SERVICES))
        super().__init__(
            {name: f"http://127.0.0.1:{port}" for name, port in zip(SERVICES, ports, strict=True)}
        )
        base = [KUBECTL, "--kubeconfig", str(kubeconfig), "--namespace", namespace, "port-forward"]
        self._closing = Event()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._threads = []
        for port, (component, target) in zip(ports, SERVICES.values(), strict=True):
            command = [*base, f"service/{release}-{component}", f"{port}:{target}"]
            thread = Thread(target=self._keep, args=(component, command), daemon=True)
            thread.start()
            self._threads.append(thread)

    def renew(self) -> None:
        """Forward to the pods that are there now.

        Raises:
            PrerequisiteMissing: kubectl does not forward in time.
        """
        for process in list(self._running.values()):
            process.terminate()
            process.wait()
        deadline = time.monotonic() + BEGIN_SECONDS
        while not all(_answers(url) for url in self.urls.values()):
            if time.monotonic() > deadline:
                raise PrerequisiteMissing("`kubectl port-forward` does not reach the platform.")
            time.sleep(AGAIN_SECONDS)

    def close(self) -> None:
        """End forwarding."""
        self._closing.set()
        for process in list(self._running.values()):
            process.terminate()
        for thread in self._threads:
            thread.join(END_SECONDS)

    def _keep(self, name: str, command: list[str]) -> None:
        """Forward again whenever kubectl ends, as it does when the pod behind is replaced."""
        while not self._closing.wait(AGAIN_SECONDS):
            quiet = subprocess.DEVNULL
            self._running[name] = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
            if self._closing.is_set():
                self._running[name].terminate()
            with suppress(KeyboardInterrupt):
                self._running[name].wait()


def _answers(url: str) -> bool:
    """Tell whether somebody listens at an address of this machine."""
    address = urlsplit(url)
    with suppress(OSError), socket.create_connection((address.hostname, address.port), timeout=1):
        return True
    return False


def _free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens on, held together so that none comes twice."""
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()
