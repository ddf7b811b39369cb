"""The CustomResourceDefinitions in ``crds/`` and the chart that delivers them.

Both come from the resource catalog, so the API server refuses what the services would refuse.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from hack.gen.outputs import ROOT
from hack.gen.schema import structural, validation
from kourse.contracts.resources import API_VERSION, GROUP, KINDS, VERSION, Column, Kind

CRDS = ROOT / "crds"
CHART_TEMPLATES = ROOT / "charts" / "kourse-crds" / "templates"
KEEP = {"helm.sh/resource-policy": "keep"}
HEADER = (
    "# Generated from services/kourse/contracts/resources; renew with: python -m hack.gen crds\n"
)
LABELS = {"app.kubernetes.io/name": "kourse", "app.kubernetes.io/component": "crds"}
NAME_RULE = {
    "rule": "self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",
    "message": "metadata.name must be a DNS label: at most 63 characters and no dots",
    "fieldPath": ".metadata.name",
}
NAME_SCHEMA = {"type": "string", "maxLength": 253}
"""Without a limit the rule's cost cannot be priced; the limit itself is the API server's own."""


def definition(kind: Kind, annotations: dict[str, str] | None = None) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind."""
    metadata: dict[str, Any] = {"name": f"{kind.plural}.{GROUP}", "labels": LABELS}
    if annotations:
        metadata["annotations"] = annotations
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "singular": kind.singular,
                "shortNames": list(kind.short_names),
                "categories": ["kourse"],
            },
            "scope": "Namespaced",
            "versions": [_version(kind)],
        },
    }


def _version(kind: Kind) -> dict[str, Any]:
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(column) for column in kind.columns],
        "schema": {"openAPIV3Schema": _root(kind)},
    }
    if kind.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in kind.selectable]
    return version


def _column(column: Column) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.json_path,
    }
    return made | ({"priority": column.priority} if column.priority else {})


def _root(kind: Kind) -> dict[str, Any]:
    spec = structural(kind.spec)
    return {
        "type": "object",
        "description": spec["description"],
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"Always {API_VERSION}."},
            "kind": {"type": "string", "description": f"Always {kind.kind}."},
            "metadata": {"type": "object", "properties": {"name": NAME_SCHEMA}},
            "spec": spec,
            "status": structural(kind.status),
        },
        "x-kubernetes-validations": [NAME_RULE, *map(validation, kind.rules)],
    }


def files() -> dict[Path, bytes]:
    """Every definition, once for ``kubectl apply`` and once as a template of the chart.

    Raises:
        ValueError: A text would be read as a template action by Helm.
    """
    made = {}
    for kind in KINDS:
        made[CRDS / f"{kind.plural}.yaml"] = _text(definition(kind))
        template = _text(definition(kind, KEEP))
        if b"{{" in template:
            raise ValueError(f"the texts of {kind.kind} must not contain '{{{{'")
        made[CHART_TEMPLATES / f"{kind.plural}.yaml"] = template
    return made


def stale() -> list[Path]:
    """Definitions of kinds that are gone."""
    wanted = {f"{kind.plural}.yaml" for kind in KINDS}
    present = [*CRDS.glob("*.yaml"), *CHART_TEMPLATES.glob("*.yaml")]
    return [path for path in present if path.name not in wanted]


def _text(document: dict[str, Any]) -> bytes:
    body = yaml.safe_dump(document, sort_keys=False, width=100, allow_unicode=True)
    return (HEADER + body).encode()
