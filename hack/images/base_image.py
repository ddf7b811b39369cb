"""Base images of Debian packages: an interpreter and its libraries, no shell, no package manager.

The plain one stands in for the usual slim Python image where no registry is reachable. The runner's has the
languages of learners' programs besides.
"""

import hashlib
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hack.images.builder import Builder
from hack.kind.debian import package_tree

PACKAGES = ("python3.11-minimal", "libpython3.11-stdlib", "libstdc++6", "netbase")
LANGUAGES = ("nodejs", "openjdk-17-jdk-headless")
JAVA = "/usr/lib/jvm/java-17-openjdk-amd64/bin"
RECIPE = """\
FROM scratch
ADD base.tar /
ENV PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8
"""
PERSON = "kourse:x:65532:65532:kourse:/tmp:/nonexistent\n"
GROUP = "kourse:x:65532:\n"


def ensure_base(builder: Builder) -> str:
    """Return the name of the base image, built if it is not there.

    Raises:
        PrerequisiteMissing: A package cannot be fetched or the image not built.
    """
    return _ensure(builder, "kourse-base", PACKAGES)


def ensure_runner_base(builder: Builder) -> str:
    """Return the name of the base image with the languages of programs, built if it is not there.

    Raises:
        PrerequisiteMissing: A package cannot be fetched or the image not built.
    """
    return _ensure(builder, "kourse-runner-base", (*PACKAGES, *LANGUAGES))


def _ensure(builder: Builder, name: str, packages: Sequence[str]) -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    tag = f"localhost/{name}:bookworm-{digest}"
    if not builder.has(tag):
        tree = package_tree(name, packages, configured=False)
        with tempfile.TemporaryDirectory(prefix="kourse-base-") as folder:
            context = Path(folder)
            _repack(tree, context)
            (context / "Dockerfile").write_text(RECIPE)
            builder.build(context, tag, {})
    return tag


def _repack(tree: Path, context: Path) -> None:
    """Write ``base.tar``: the packages' files with what maintainer scripts would have added."""
    root = context / "root"
    with tarfile.open(tree) as source:
        source.extractall(root, members=[each for each in source if _wanted(each)], filter="tar")
    (root / "usr/bin/python3").symlink_to("python3.11")
    for name in ("java", "javac"):
        if Path(f"{root}{JAVA}/{name}").exists():
            (root / "usr/bin" / name).symlink_to(f"{JAVA}/{name}")
    (root / "etc/passwd").write_text(f"root:x:0:0:root:/root:/nonexistent\n{PERSON}")
    (root / "etc/group").write_text(f"root:x:0:\n{GROUP}")
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    with tarfile.open(context / "base.tar", "w") as target:
        target.add(root, arcname=".", filter=_without_time)


def _wanted(member: tarfile.TarInfo) -> bool:
    path = member.name.removeprefix("./")
    state = ("var/lib/apt", "var/lib/dpkg", "var/cache", "var/log", "etc/apt")
    return not member.isdev() and not path.startswith(state)


def _without_time(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = 0
    return member
