"""``kourse pause``, ``resume`` and ``adopt``: annotations that the operator knows."""

from __future__ import annotations

from typing import Annotated

import typer

from kourse.cli.kubectl import Kubectl, parse, resource
from kourse.cli.options import Kubectl as KubectlOption
from kourse.cli.options import Namespace, failing
from kourse.contracts.resources import ADOPT_ANNOTATION, PAUSED_ANNOTATION

Object = Annotated[str, typer.Argument(metavar="KIND/NAME", help="As course/statistics.")]


def pause(target: Object, namespace: Namespace = "", kubectl: KubectlOption = "kubectl") -> None:
    """Have the operator leave an object alone, whatever changes, until it is resumed."""
    _annotate("pause", target, f"{PAUSED_ANNOTATION}=true", Kubectl(kubectl, namespace))


def resume(target: Object, namespace: Namespace = "", kubectl: KubectlOption = "kubectl") -> None:
    """Have the operator look after a paused object again."""
    _annotate("resume", target, f"{PAUSED_ANNOTATION}-", Kubectl(kubectl, namespace))


def adopt(target: Object, namespace: Namespace = "", kubectl: KubectlOption = "kubectl") -> None:
    """Let an object take over its name from content that was made through the REST API."""
    _annotate("adopt", target, f"{ADOPT_ANNOTATION}=true", Kubectl(kubectl, namespace))


def _annotate(command: str, target: str, mark: str, kubectl: Kubectl) -> None:
    with failing(command):
        kind, name = parse(target)
        typer.echo(kubectl.run("annotate", resource(kind), name, mark, "--overwrite").strip())
