"""``.env`` templates of the services, from their settings classes."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from hack.gen.outputs import ROOT
from hack.gen.services import import_from, names
from kourse.kit.settings import ServiceSettings, render_env

OPERATOR = "operator"
TEMPLATES = ROOT / "manifests" / "infra" / "env"


def files() -> dict[Path, bytes]:
    """One template for the operator and for each service that has settings."""
    made: dict[Path, bytes] = {}
    modules = {name: import_from(name, "settings") for name in names()}
    modules[OPERATOR] = import_module("kourse_operator.settings")
    for name, module in modules.items():
        for settings in vars(module).values() if module else ():
            if _is_settings_of(settings, name):
                made[TEMPLATES / f"{name}.env"] = render_env(settings).encode()
    return made


def stale() -> list[Path]:
    """Templates of services that are gone."""
    wanted = {*names(), OPERATOR}
    return [path for path in TEMPLATES.glob("*.env") if path.stem not in wanted]


def _is_settings_of(value: object, name: str) -> bool:
    return isinstance(value, type) and issubclass(value, ServiceSettings) and value.service == name
