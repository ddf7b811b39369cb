"""Builds what a test cluster needs before anybody waits for it. Standard library only."""

from hack.images.base_image import ensure_base, ensure_runner_base
from hack.images.builder import Builder
from hack.images.evaluation import ensure_evaluation
from hack.images.wheels import locked_wheels
from hack.install.machine import PrerequisiteMissing, is_ours_to_furnish, report
from hack.install.tools import HELM, KIND, build_tools
from hack.kind import engine
from hack.kind.cluster import node_image


def install_cluster() -> None:
    """Bring the engine, the node image and what all builds of images share.

    Where neither an engine runs nor one can be installed, it says so and nothing happens.

    Raises:
        PrerequisiteMissing: Something cannot be built or, as root on Debian, not be installed.
    """
    try:
        docker = engine.ensure()
    except PrerequisiteMissing as missing:
        if is_ours_to_furnish():
            raise
        report("cluster", f"left out: {missing}")
        return
    try:
        build_tools((HELM, KIND))
        node_image(docker)
        builder = Builder("docker", docker.environment)
        ensure_base(builder)
        ensure_runner_base(builder)
        ensure_evaluation(builder)
        locked_wheels()
    finally:
        engine.stop_when_idle()
