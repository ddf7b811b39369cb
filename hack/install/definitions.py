"""Definitions of other projects' resources that the chart can render, out of pinned Go modules."""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hack.install.machine import PrerequisiteMissing, cache_dir, exclusive, report, require_command
from hack.install.tools import GO_REMEDY


@dataclass(frozen=True)
class Definition:
    """A custom resource definition in a module.

    Attributes:
        module: The module and its version.
        digest: The module's digest, as go.sum spells it.
        path: The file in the module.
    """

    module: str
    digest: str
    path: str


DEFINITIONS = (
    Definition(
        "sigs.k8s.io/gateway-api@v1.4.0",
        "h1:ZwlNM6zOHq0h3WUX2gfByPs2yAEsy/EenYJB78jpQfQ=",
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    ),
    Definition(
        "github.com/cloudnative-pg/cloudnative-pg@v1.27.1",
        "h1:w+bbtXyEPoaa7sZGXxbb8qJ+/bUGWQ3M48kbNUEpKlk=",
        "config/crd/bases/postgresql.cnpg.io_clusters.yaml",
    ),
    Definition(
        "github.com/rabbitmq/cluster-operator/v2@v2.16.0",
        "h1:oYJm+1tXIatGHtiUWyN9hGdO+0eWsXA/j1b81wh0IqI=",
        "config/crd/bases/rabbitmq.com_rabbitmqclusters.yaml",
    ),
    Definition(
        "github.com/kedacore/keda/v2@v2.18.1",
        "h1:h6bRt/IOxxtZpJlHSqhdH/lcInH7Z9obxg/JvWOmGAw=",
        "config/crd/bases/keda.sh_scaledobjects.yaml",
    ),
    Definition(
        "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
    Definition(
        "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ),
)


def definitions() -> Path:
    """Return the folder of the definitions, fetched once and checked by digest.

    Raises:
        PrerequisiteMissing: Go is missing, or a module cannot be fetched or has another digest.
    """
    folder = cache_dir() / "definitions"
    with exclusive("definitions"):
        for each in DEFINITIONS:
            if not _target(folder, each).exists():
                _fetch(each, _target(folder, each))
    return folder


def install_definitions() -> None:
    """Fetch what charts are judged by."""
    definitions()


def _target(folder: Path, definition: Definition) -> Path:
    version = definition.module.rpartition("@")[2]
    path = Path(definition.path)
    return folder / f"{path.stem}-{version}{path.suffix}"


def _fetch(definition: Definition, target: Path) -> None:
    started = time.monotonic()
    go = require_command("go", GO_REMEDY)
    with tempfile.TemporaryDirectory(prefix="kourse-module-") as folder:
        (Path(folder) / "go.mod").write_text("module kourse.dev/definitions\n")
        found = _download(go, definition.module, folder)
    if found.get("Sum") != definition.digest:
        what = found.get("Error", "its digest is another")
        raise PrerequisiteMissing(f"{definition.module} cannot be had ({what}): run this again.")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".unfinished")
    shutil.copyfile(Path(found["Dir"]) / definition.path, unfinished)
    unfinished.rename(target)
    report(target.stem, "fetched", started)


def _download(go: str, module: str, folder: str) -> Mapping[str, str]:
    command = [go, "mod", "download", "-json", module]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    try:
        found: Mapping[str, str] = json.loads(done.stdout)
    except ValueError:
        return {"Error": " ".join(done.stderr.split()[-20:])}
    return found
