"""``python -m hack.kind up|down``: kourse in a throw-away cluster, and the machine as it was before."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hack.images.build import build_all
from hack.images.builder import Builder
from hack.install.machine import ROOT, PrerequisiteMissing, report
from hack.kind import engine
from hack.kind.cluster import KindCluster
from hack.kind.platform import Platform
from hack.kind.reach import by_node_ports

NAME = "kourse"
KUBECONFIG = ROOT / ".kourse" / "cluster" / "kubeconfig"


def empty() -> KindCluster:
    """Start an engine if none runs, create the cluster if it is not there, and return it."""
    started = time.monotonic()
    cluster = KindCluster(engine.ensure(), NAME, KUBECONFIG)
    cluster.create()
    report("cluster", f"ready: export KUBECONFIG={_short(KUBECONFIG)}", started)
    return cluster


def up() -> None:
    """Bring up the cluster with everything in it, and take a learner through the sample course."""
    platform = prepare(empty())
    platform.install()
    platform.bring_samples()
    print(platform.smoke(), end="")


def prepare(cluster: KindCluster) -> Platform:
    """Build the images, bring them onto the nodes, and return the platform, not yet installed."""
    images = build_all(Builder("docker", cluster.docker.environment))
    started = time.monotonic()
    cluster.load(images.kourse, images.runner, images.evaluation)
    report("images", "on the node", started)
    reach = by_node_ports(cluster.address())
    return Platform(cluster.kubeconfig, cluster.kubeconfig.parent, reach, images)


def down() -> None:
    """Delete the cluster and stop the engine if it is ours and idle."""
    started = time.monotonic()
    running = engine.find()
    if running is not None:
        KindCluster(running, NAME, KUBECONFIG).delete()
    gone = engine.stop_when_idle()
    report("cluster", "gone" if gone else "gone; the engine still runs other containers", started)


COMMANDS: dict[str, Callable[[], object]] = {
    "up": up,
    "empty": empty,
    "down": down,
}


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def main() -> int:
    """Run a command.

    Returns:
        0, or 2 when the machine lacks something.
    """
    parser = argparse.ArgumentParser(prog="python -m hack.kind", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    try:
        COMMANDS[parser.parse_args().command]()
    except PrerequisiteMissing as missing:
        print(missing, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
