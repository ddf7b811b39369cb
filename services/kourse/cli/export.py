"""``kourse export``: a document that is in force, as a manifest for Git."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated, Any

import typer
import yaml

from kourse.cli.kubectl import parse
from kourse.cli.options import Email, PasswordFile, Token, Url, failing
from kourse.cli.session import open_session
from kourse.contracts.resources import ADOPT_ANNOTATION, API_VERSION, BY_KIND
from kourse.rules.changes import wire

ROUTES = {
    "Course": "/v1/authoring/courses",
    "QuestionPool": "/v1/authoring/pools",
    "ExamConfig": "/v1/authoring/exams",
    "Cohort": "/v1/authoring/cohorts",
}


class _Dumper(yaml.SafeDumper):
    """Writes long texts as blocks, as people write them."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def export(
    target: Annotated[str, typer.Argument(metavar="KIND/NAME", help="As course/statistics.")],
    url: Url,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """Print what is in force as a manifest; applying it changes nothing but who owns the name."""
    with failing("export"):
        kind, name = parse(target)
        with closing(open_session(url, token, email, password_file)) as session:
            found = session.get(f"{ROUTES[kind.kind]}/{name}")
    typer.echo(manifest(kind.kind, name, found["spec"], source=found["source"]), nl=False)


def manifest(kind: str, name: str, spec: dict[str, Any], *, source: str) -> str:
    """A manifest with that spec, fields at their defaults left out.

    What was made through the REST API gets the annotation by which a resource may take it over.
    """
    metadata: dict[str, Any] = {"name": name}
    if source == "api":
        metadata["annotations"] = {ADOPT_ANNOTATION: "true"}
    document = {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": metadata,
        "spec": wire(BY_KIND[kind].spec.model_validate(spec)),
    }
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
