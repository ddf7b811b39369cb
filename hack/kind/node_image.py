"""The node image of a test cluster, built from Debian packages and our own builds.

It is a test node, not upstream's: no systemd, and a network that routes but enforces no policies.
Everything kubeadm would pull is unpacked in it, so that a cluster starts without a registry.
"""

import hashlib
import shutil
import tarfile
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from hack.install.machine import exclusive, report
from hack.install.tools import (
    COREDNS,
    ETCD,
    KUBE_APISERVER,
    KUBE_CONTROLLER_MANAGER,
    KUBE_PROXY,
    KUBE_SCHEDULER,
    KUBEADM,
    KUBECTL,
    KUBELET,
    KUBERNETES,
    NODE_TOOLS,
    PAUSE,
    Tool,
    build_tools,
)
from hack.kind.debian import package_tree
from hack.kind.docker import Docker

SOURCES = Path(__file__).with_name("node")
REGISTRY = "registry.k8s.io"
PAUSE_VERSION = "3.10.2"
NODE_PACKAGES = (
    "containerd",
    "runc",
    "containernetworking-plugins",
    "iptables",
    "iproute2",
    "conntrack",
    "ethtool",
    "socat",
    "kmod",
    "mount",
    "procps",
    "ca-certificates",
    "tar",
    "hostname",
)
PROXY_PACKAGES = (
    "iptables",
    "nftables",
    "iproute2",
    "dash",
    "coreutils",
    "sed",
    "libc-bin",
)
"""What kube-proxy calls, and the node's network beside it."""

PROGRAMS = "usr/local/bin"
SEARCH_PATH = "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class ControlPlaneImage:
    """An image that kubeadm asks for: one static program.

    Attributes:
        name: As ``kubeadm config images list`` prints it.
        tool: The program.
        starts: Whether the image starts the program by itself; kubeadm's manifests name it else.
        rooted: Whether the program needs a file tree around it.
    """

    name: str
    tool: Tool
    starts: bool = False
    rooted: bool = False


IMAGES = (
    ControlPlaneImage(f"{REGISTRY}/pause:{PAUSE_VERSION}", PAUSE, starts=True),
    ControlPlaneImage(f"{REGISTRY}/etcd:3.6.8-0", ETCD),
    ControlPlaneImage(f"{REGISTRY}/coredns/coredns:v1.14.2", COREDNS, starts=True),
    ControlPlaneImage(f"{REGISTRY}/kube-apiserver:{KUBERNETES}", KUBE_APISERVER),
    ControlPlaneImage(f"{REGISTRY}/kube-controller-manager:{KUBERNETES}", KUBE_CONTROLLER_MANAGER),
    ControlPlaneImage(f"{REGISTRY}/kube-scheduler:{KUBERNETES}", KUBE_SCHEDULER),
    ControlPlaneImage(f"{REGISTRY}/kube-proxy:{KUBERNETES}", KUBE_PROXY, rooted=True),
)


def tag() -> str:
    """Return the image's name; it carries a hash of everything that decides the content."""
    digest = hashlib.sha256(repr((NODE_PACKAGES, PROXY_PACKAGES, IMAGES)).encode())
    for tool in NODE_TOOLS:
        digest.update(tool.path.parent.name.encode())
    for path in (Path(__file__), *sorted(SOURCES.rglob("*"))):
        if path.is_file():
            digest.update(path.read_bytes())
    return f"kourse-test-node:{KUBERNETES}-{digest.hexdigest()[:12]}"


def ensure_node_image(docker: Docker) -> str:
    """Return the name of the node image, built if the engine has it not.

    Raises:
        PrerequisiteMissing: A program, a package or an image cannot be built.
    """
    build_tools(NODE_TOOLS)
    name = tag()
    with exclusive("node-image"):
        if not docker.has_image(name):
            started = time.monotonic()
            with tempfile.TemporaryDirectory(prefix="kourse-node-") as folder:
                _build(docker, Path(folder), name)
            report("node image", name, started)
    return name


def _build(docker: Docker, work: Path, name: str) -> None:
    base = f"{name}-base"
    stage = f"{name}-stage"
    archive = work / "images.tar"
    try:
        for image in IMAGES:
            _control_plane_image(docker, work, image)
        docker.run("save", "--output", str(archive), *(image.name for image in IMAGES))
        tree = package_tree("node", NODE_PACKAGES, configured=True)
        docker.run("import", "-", base, stdin=tree)
        _dockerfile_build(docker, _node_files(work / "stage"), stage, base, NODE_STEPS)
        baked = work / "baked"
        _bake(docker, stage, archive, baked / "var/lib/containerd")
        _dockerfile_build(docker, baked, name, stage, ())
    finally:
        leftovers = (image.name for image in IMAGES)
        for leftover in (*leftovers, stage, base):
            if docker.has_image(leftover):
                docker.run("rmi", "--force", leftover)


NODE_STEPS = (
    SEARCH_PATH,
    "STOPSIGNAL SIGRTMIN+3",
    'ENTRYPOINT ["/usr/local/bin/entrypoint"]',
)


def _control_plane_image(docker: Docker, work: Path, image: ControlPlaneImage) -> None:
    """Import one image as a single layer, which is all that ``docker import`` needs."""
    root = work / image.tool.name
    (root / PROGRAMS).mkdir(parents=True)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "etc").mkdir()
    root.chmod(0o755)
    if image.rooted:
        with tarfile.open(package_tree("proxy", PROXY_PACKAGES, configured=False)) as tree:
            tree.extractall(root, members=_without_devices(tree), filter="tar")
        _link_iptables(root)
    shutil.copy(image.tool.path, root / PROGRAMS / image.tool.name)
    archive = root.with_suffix(".tar")
    with tarfile.open(archive, "w") as packed:
        packed.add(root, arcname=".")
    shutil.rmtree(root)
    start = f'ENTRYPOINT ["/{PROGRAMS}/{image.tool.name}"]'
    changes = [SEARCH_PATH, *([start] if image.starts else [])]
    docker.run("import", *(f"--change={change}" for change in changes), str(archive), image.name)
    archive.unlink()


def _without_devices(tree: tarfile.TarFile) -> list[tarfile.TarInfo]:
    return [member for member in tree if not member.isdev()]


def _link_iptables(root: Path) -> None:
    """Make the links that iptables' maintainer script would have made."""
    for program in ("iptables", "ip6tables"):
        for suffix in ("", "-save", "-restore"):
            link = root / "usr/sbin" / f"{program}{suffix}"
            link.unlink(missing_ok=True)
            link.symlink_to("xtables-nft-multi")


def _node_files(target: Path) -> Path:
    """Lay out what the node has beside its Debian packages, and return the folder."""
    programs = target / PROGRAMS
    programs.mkdir(parents=True)
    for tool in (KUBELET, KUBECTL, KUBEADM):
        shutil.copy(tool.path, programs / tool.name)
    for name in ("entrypoint", "bake", "systemctl", "journalctl", "crictl"):
        shutil.copy(SOURCES / name, programs / name)
    shutil.copytree(SOURCES / "kind", target / "kind")
    (target / "kind" / "version").write_text(f"{KUBERNETES}\n")
    versions = {"KUBERNETES": KUBERNETES, "PAUSE": PAUSE_VERSION}
    network = target / "kind" / "manifests" / "default-cni.yaml"
    _fill(network, network, versions)
    (target / "etc" / "containerd").mkdir(parents=True)
    _fill(SOURCES / "containerd.toml", target / "etc" / "containerd" / "config.toml", versions)
    return target


def _fill(source: Path, target: Path, versions: Mapping[str, str]) -> None:
    """Write a file with the versions filled in; other dollar signs stay."""
    target.write_text(Template(source.read_text()).safe_substitute(versions))


def _bake(docker: Docker, stage: str, archive: Path, store: Path) -> None:
    """Unpack the images into a store outside the container.

    containerd's layers cannot lie on the engine's own, so the store is a folder of the machine.
    """
    store.mkdir(parents=True)
    mounts = (f"{store}:/var/lib/containerd", f"{archive}:/images.tar:ro")
    volumes = [f"--volume={mount}" for mount in mounts]
    options = ["--rm", "--privileged", "--net=none", "--entrypoint=/usr/local/bin/bake"]
    docker.run("run", *options, *volumes, stage)


def _dockerfile_build(
    docker: Docker, context: Path, name: str, base: str, steps: tuple[str, ...]
) -> None:
    recipe = context.with_suffix(".dockerfile")
    recipe.write_text("\n".join([f"FROM {base}", "COPY . /", *steps, ""]))
    docker.run("build", "--quiet", "--tag", name, "--file", str(recipe), str(context))
