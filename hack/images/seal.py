"""Finishes the environment inside the image: compiles it, lists what is in it, sets all times.

Runs inside the build, with the interpreter of the image: standard library only. Times, and bytecode
that is checked by content, are the same in every build of the same sources.
"""

import compileall
import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

SBOM = "sbom.cdx.json"
AUTHORITIES = "ca-certificates.pem"
ENTRIES = (
    "kourse.cli.main",
    "kourse.identity.__main__",
    "kourse.runner.__main__",
    "kourse_operator.__main__",
)
"""Imported once before the image is done: a library that the base lacks is found here."""
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def main(root: Path, lock: Path) -> None:
    """Seal an environment.

    Args:
        root: The environment.
        lock: The lock it was installed from.
    """
    packages = next(root.glob("lib/python*/site-packages"))
    shutil.copy(packages / "certifi" / "cacert.pem", root / AUTHORITIES)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(packages, quiet=2, workers=0, invalidation_mode=mode)
    for module in ENTRIES:
        subprocess.run([root / "bin" / "python", "-c", f"import {module}"], check=True)
    bill = bill_of_materials(packages, lock.read_text())
    (root / SBOM).write_text(json.dumps(bill, indent=1))
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    for path in [root, *root.rglob("*")]:
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def bill_of_materials(packages: Path, lock: str) -> dict[str, object]:
    """Return what is installed, as a CycloneDX document.

    Args:
        packages: The folder of installed packages.
        lock: The text of the lock, for the digests of what was allowed in.
    """
    found = sorted(distributions(path=[str(packages)]), key=lambda each: _name(each.name))
    digests = _digests(lock)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": "kourse"}},
        "components": [_component(each, digests.get(_name(each.name), [])) for each in found],
    }


def _component(package: Distribution, digests: list[str]) -> dict[str, object]:
    name, version = _name(package.name), package.version
    component: dict[str, object] = {
        "type": "library",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "properties": [{"name": "kourse:allowed-sha256", "value": each} for each in digests],
    }
    stated = [
        *(package.metadata.get_all("License-Expression") or []),
        *(package.metadata.get_all("License") or []),
    ]
    short = [licence for licence in stated if "\n" not in licence]
    if short:
        component["licenses"] = [{"license": {"name": short[0]}}]
    return component


def _digests(lock: str) -> dict[str, list[str]]:
    """Return the digests that the lock allows for each package."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lock.splitlines():
        name, pinned, _ = line.partition("==")
        if pinned and not line.startswith(" "):
            current = found.setdefault(_name(name), [])
        current += _HASH.findall(line)
    return found


def _name(name: str) -> str:
    """Return a package's name as the index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
