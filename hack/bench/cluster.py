"""How long the charts take to become a platform in a kind cluster, and how much memory it then holds.

The images are on the node already. Everything has one replica and shares the node with the data stores,
whose memory is not counted.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from hack.bench.figures import Figure
from hack.kind import engine
from hack.kind.__main__ import prepare
from hack.kind.cluster import KindCluster
from hack.kind.platform import Platform
from hack.stack.usage import proportional

GIB = 1 << 30
MIB = 1 << 20
_POD = re.compile(r"pod([0-9a-f]{8}[-_][0-9a-f_-]{27})")
_LABEL = r"{.metadata.labels.app\.kubernetes\.io/component}"
_PODS = f'jsonpath={{range .items[*]}}{{.metadata.uid}} {_LABEL}{{"\\n"}}{{end}}'
STORES = {"database", "broker", "cache", "token-store", "object-store", "mail", "migrate"}


def measure() -> list[Figure]:
    """Brings up a cluster of its own, installs the charts, weighs the pods, and takes it down."""
    docker = engine.ensure()
    with tempfile.TemporaryDirectory(prefix="kourse-bench-") as folder:
        cluster = KindCluster(docker, "kourse-bench", Path(folder) / "kubeconfig")
        try:
            cluster.create()
            platform = prepare(cluster)
            seconds = platform.install({"operator": {"replicas": 1}})
            platform.bring_samples()
            held = memory_held(platform)
        finally:
            cluster.delete()
            engine.stop_when_idle()
    total = sum(held.values())
    parts = ", ".join(f"{name} {size / MIB:.0f}" for name, size in sorted(held.items()))
    return [
        Figure("helm install to all Ready", seconds, "s", 90, detail="images on the node"),
        Figure(
            "idle memory, one replica each (PSS)", total / GIB, "GiB", 1.5, detail=f"MiB: {parts}"
        ),
    ]


def memory_held(platform: Platform) -> Mapping[str, int]:
    """Return the memory of each component's processes in bytes, without the data stores.

    A page that several processes share counts by each one's part, so that sums are right. The nodes'
    processes are this machine's own, as those of kind are.

    Raises:
        LookupError: No process of the platform is seen here.
    """
    pods = platform.kubectl("-n", platform.namespace, "get", "pods", "-o", _PODS)
    components = dict(line.split() for line in pods.splitlines())
    held: Counter[str] = Counter()
    for process in Path("/proc").iterdir():
        component = components.get(_pod_of(process)) if process.name.isdigit() else None
        if component and component not in STORES:
            held[component] += proportional(int(process.name))
    if not held:
        raise LookupError("the nodes' processes are not to be seen from here: run this as root")
    return held


def _pod_of(process: Path) -> str:
    """Return the uid of the pod that a process belongs to; empty for all others."""
    try:
        found = _POD.search((process / "cgroup").read_text())
    except OSError:
        return ""
    return found[1].replace("_", "-") if found else ""
