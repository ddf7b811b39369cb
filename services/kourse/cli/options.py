"""Options that several commands share, and how a command ends when it cannot go on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kourse.cli.session import CommandError

FAILED = 1
"""Exit status of a command that could not do what it was asked."""


class Output(StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


Places = Annotated[list[Path], typer.Argument(help="Folders or files with manifests.")]
Files = Annotated[
    list[Path], typer.Option("--filename", "-f", help="Folder or file with manifests; repeatable.")
]
Url = Annotated[str, typer.Option(envvar="KOURSE_URL", help="Address of the gateway.")]
Token = Annotated[
    str,
    typer.Option(
        envvar="KOURSE_TOKEN",
        help="Access token, personal access token, or CLIENT_ID:SECRET of a service account.",
        show_default=False,
    ),
]
Email = Annotated[
    str, typer.Option(envvar=["KOURSE_EMAIL", "KOURSE_TEACHER_EMAIL"], help="Log-in.")
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        envvar=["KOURSE_PASSWORD_FILE", "KOURSE_TEACHER_PASSWORD_FILE"],
        help="File that holds the log-in's password.",
    ),
]
Timeout = Annotated[float, typer.Option(help="Seconds to wait for the operator.")]
Form = Annotated[Output, typer.Option("--output", "-o", help="Form of the result.")]
Namespace = Annotated[
    str,
    typer.Option("--namespace", "-n", envvar="KOURSE_NAMESPACE", help="Kubernetes namespace."),
]
Kubectl = Annotated[str, typer.Option(envvar="KOURSE_KUBECTL", help="The kubectl to run.")]


@contextmanager
def failing(command: str) -> Iterator[None]:
    """Ends a command that cannot go on with a sentence and exit status 1."""
    try:
        yield
    except CommandError as error:
        typer.echo(f"kourse {command}: {error}", err=True)
        raise typer.Exit(FAILED) from None


def progress(line: str) -> None:
    """Says what is going on, to people only: not into a pipe, a file or a log."""
    if sys.stderr.isatty():
        typer.echo(line, err=True)
