"""``python -m hack.kind up|down``: kourse in a throw-away cluster, and the machine as it was before."""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hack.install.machine import ROOT, PrerequisiteMissing, report
from hack.kind import engine
from hack.kind.cluster import KindCluster, node_image
from hack.kind.platform import bring_up

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
    platform = bring_up(empty())
    platform.bring_samples()
    platform.smoke()


def down() -> None:
    """Delete the cluster and stop the engine if it is ours and idle."""
    started = time.monotonic()
    running = engine.find()
    if running is not None:
        KindCluster(running, NAME, KUBECONFIG).delete()
    gone = engine.stop_when_idle()
    report("cluster", "gone" if gone else "gone; the engine still runs other containers", started)


def image() -> None:
    """Build the node image if it is needed, and print its name."""
    print(node_image(engine.ensure()))


COMMANDS: dict[str, Callable[[], object]] = {
    "up": up,
    "empty": empty,
    "down": down,
    "image": image,
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
