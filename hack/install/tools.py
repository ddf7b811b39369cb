"""Programs that Debian has not, built once from pinned Go modules and kept outside the clone."""

import hashlib
import os
import re
import selectors
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from hack.install.machine import (
    ROOT,
    PrerequisiteMissing,
    cache_dir,
    exclusive,
    report,
    require_command,
)

PROGRESS_SECONDS = 10.0
MINIMUM_GO = (1, 26)
GO_REMEDY = "install Go 1.26 or newer from https://go.dev/dl/ and put it on PATH."


@dataclass(frozen=True)
class Tool:
    """A program and how it is built.

    Attributes:
        name: The file name of the program.
        module: The directory below ``hack/tools``, or below ``root``, whose go.mod and go.sum pin it.
        package: The import path of its main package.
        packages: About how many packages a build compiles; only for the progress line.
        variables: What the linker sets (``-X``), for the version it reports.
        root: The directory that the module is below.
    """

    name: str
    module: str
    package: str
    packages: int
    variables: Mapping[str, str] = field(default_factory=dict)
    root: str = "hack/tools"

    @property
    def directory(self) -> Path:
        """The module that pins it."""
        return ROOT / self.root / self.module

    @property
    def flags(self) -> list[str]:
        """The flags of ``go build``."""
        settings = [f"-X {name}={value}" for name, value in sorted(self.variables.items())]
        return ["-trimpath", "-ldflags", " ".join(["-s", "-w", *settings])]

    @property
    def path(self) -> Path:
        """Where the built program is: the name carries a hash of everything that decides it."""
        digest = hashlib.sha256(" ".join([self.package, *self.flags]).encode())
        sources = sorted(set(self.directory.rglob("*.go")) - {self.directory / "tools.go"})
        for path in (self.directory / "go.mod", self.directory / "go.sum", *sources):
            if path.exists():
                digest.update(path.read_bytes())
        return cache_dir() / "tools" / f"{self.name}-{digest.hexdigest()[:16]}" / self.name


KUBERNETES = "v1.36.3"
"""Version of Kubernetes that is built, and against which charts are checked."""
_VERSION = "k8s.io/component-base/version."


def _kubernetes(name: str, packages: int, module: str = "kubernetes") -> Tool:
    """Return one of the programs of Kubernetes; they share a module and most of their packages."""
    version = {"gitVersion": KUBERNETES, "gitMajor": "1", "gitMinor": "36"}
    return Tool(
        name=name,
        module=module,
        package=f"k8s.io/kubernetes/cmd/{name}",
        variables={f"{_VERSION}{field}": value for field, value in version.items()},
        packages=packages,
    )


KUBE_APISERVER = _kubernetes("kube-apiserver", 2030)
KUBEADM = _kubernetes("kubeadm", 1150, module="kubeadm")
KUBELET = _kubernetes("kubelet", 1950)
KUBECTL = _kubernetes("kubectl", 1000)
KUBE_CONTROLLER_MANAGER = _kubernetes("kube-controller-manager", 2000)
KUBE_SCHEDULER = _kubernetes("kube-scheduler", 1700)
KUBE_PROXY = _kubernetes("kube-proxy", 1300)
ETCD = Tool("etcd", "etcd", "go.etcd.io/etcd/server/v3", packages=550)
COREDNS = Tool("coredns", "coredns", "kourse.dev/hack/tools/coredns", packages=900)
PAUSE = Tool("pause", "pause", "kourse.dev/hack/tools/pause", packages=40)
KIND = Tool("kind", "kind", "sigs.k8s.io/kind", packages=300)
MINIO = Tool("minio", "minio", "github.com/minio/minio", packages=1300)
TOXIPROXY = Tool(
    "toxiproxy", "toxiproxy", "github.com/Shopify/toxiproxy/v2/cmd/server", packages=230
)
HELM = Tool(
    name="helm",
    module="helm",
    package="helm.sh/helm/v3/cmd/helm",
    variables={"helm.sh/helm/v3/internal/version.version": "v3.22.0"},
    packages=680,
)
KUBE_SCORE = Tool(
    name="kube-score",
    module="kube-score",
    package="github.com/zegl/kube-score/cmd/kube-score",
    variables={"main.version": "v1.20.0"},
    packages=400,
)
KUBECTL_VALIDATE = Tool(
    name="kubectl-validate",
    module="kubectl-validate",
    package="sigs.k8s.io/kubectl-validate",
    packages=700,
)
HELM_UNITTEST = Tool(
    name="helm-unittest",
    module="helm-unittest",
    package="github.com/helm-unittest/helm-unittest/cmd/helm-unittest",
    packages=700,
)
BENCH_OPERATOR = Tool(
    name="bench-operator",
    module="bench-operator",
    package="kourse.dev/hack/tools/bench-operator",
    packages=620,
)
"""The Go operator that the platform's own is measured against."""
KSTATUS = Tool(
    name="kstatus",
    module="kstatus",
    package="kourse.dev/hack/tools/kstatus",
    packages=200,
)
ARGO_HEALTH = Tool(
    name="argo-health",
    module="argo-health",
    package="kourse.dev/hack/tools/argo-health",
    packages=90,
)
JUDGES = (HELM, HELM_UNITTEST, KUBE_SCORE, KUBECTL_VALIDATE, KSTATUS, ARGO_HEALTH)
"""What judges charts, definitions, samples and statuses in the tests."""
INTEROP = Tool(
    name="interop",
    module="interop",
    package="kourse.dev/tests/interop",
    packages=130,
    root="tests",
)
"""The consumer in Go that shows what the event catalog promises to other teams."""
STACK_TOOLS = (KUBE_APISERVER, MINIO)
"""What the local stack runs; Helm is only built where charts are checked."""
NODE_TOOLS = (
    KUBE_APISERVER,
    KUBE_CONTROLLER_MANAGER,
    KUBE_SCHEDULER,
    KUBE_PROXY,
    KUBELET,
    KUBEADM,
    KUBECTL,
    ETCD,
    COREDNS,
    PAUSE,
)
"""What the node image of a test cluster is made of, where no registry is reachable."""


def build_tools(tools: Sequence[Tool] = STACK_TOOLS) -> None:
    """Build the tools that are not in the cache, printing progress.

    Raises:
        PrerequisiteMissing: Go is missing or too old, or a build failed.
    """
    if all(tool.path.exists() for tool in tools):
        return
    go = require_command("go", GO_REMEDY)
    _check_go(go)
    with exclusive("tools"):
        for tool in tools:
            if not tool.path.exists():
                _build(go, tool)


def _check_go(go: str) -> None:
    answer = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False)
    match = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    if match is None or (int(match[1]), int(match[2])) < MINIMUM_GO:
        raise PrerequisiteMissing(
            f"Go is too old ({answer.stdout.strip() or 'unknown'}): {GO_REMEDY}"
        )


def _build(go: str, tool: Tool) -> None:
    started = time.monotonic()
    report(tool.name, "building (once; it is kept in the cache)")
    tool.path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = tool.path.with_suffix(".building")
    command = [go, "build", "-v", *tool.flags, "-o", str(unfinished), tool.package]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
    with subprocess.Popen(
        command,
        cwd=tool.directory,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as build:
        last_lines = _follow(cast("IO[bytes]", build.stderr), tool, started)
    if build.returncode != 0:
        reason = " / ".join(last_lines)
        raise PrerequisiteMissing(
            f"building {tool.name} failed ({reason}): mend that and run again."
        )
    unfinished.rename(tool.path)
    report(tool.name, "built", started)


def _follow(output: IO[bytes], tool: Tool, started: float) -> list[str]:
    """Read what the compiler prints until it ends, telling every few seconds how far it is.

    Returns:
        The last lines, which hold the reason when a build fails.
    """
    last_lines: deque[str] = deque(maxlen=4)
    compiled, due = 0, started + PROGRESS_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            if selector.select(timeout=1.0):
                chunk = os.read(output.fileno(), 65536)
                if not chunk:
                    return list(last_lines)
                lines = chunk.decode(errors="replace").splitlines()
                compiled += sum(not line.startswith("go: ") for line in lines)
                last_lines.extend(lines)
            if time.monotonic() >= due:
                due += PROGRESS_SECONDS
                report(tool.name, f"{compiled} of about {tool.packages} packages", started)
