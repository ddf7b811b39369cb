"""``kourse plan`` and ``kourse diff``: what an apply would do, before it is done."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from kourse.cli import manifests, render_plan
from kourse.cli.declared_files import declared_files
from kourse.cli.options import (
    Email,
    Files,
    Form,
    Output,
    PasswordFile,
    Token,
    Url,
    failing,
    progress,
)
from kourse.cli.planning import Planner
from kourse.cli.plans import DirectoryPlan
from kourse.cli.session import CommandError, open_session

EXITS = "Exit status: 0 nothing to do, 2 something would change, 1 something is wrong."


def plan(
    files: Files,
    url: Url,
    every: Annotated[bool, typer.Option("--all", help="Name every field that changes.")] = False,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
    output: Form = Output.TEXT,
) -> None:
    """Show what an apply would do to rows, buckets, bindings and people; nothing is written."""
    with failing("plan"):
        made = make_plan(files, url, token, email, password_file)
    _print(made, output, render_plan.lines(made, every_field=every))


def diff(
    files: Files,
    url: Url,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
    output: Form = Output.TEXT,
) -> None:
    """Show each field whose declared value is not the one in force."""
    with failing("diff"):
        made = make_plan(files, url, token, email, password_file)
    _print(made, output, render_plan.differences(made))


def make_plan(
    places: Iterable[Path], url: str, token: str, email: str, password_file: Path | None
) -> DirectoryPlan:
    """The plan for these manifests.

    Raises:
        CommandError: The manifests cannot be read, or an owner cannot be asked.
    """
    where = list(places)
    found = manifests.read(where)
    if not found:
        named = ", ".join(map(str, where))
        raise CommandError(f"There is no Course, QuestionPool, ExamConfig or Cohort in {named}.")
    declared = declared_files(where)
    with closing(open_session(url, token, email, password_file)) as session:
        return Planner(session, progress).plan(found, declared)


def _print(made: DirectoryPlan, output: Output, text: Iterable[str]) -> None:
    if output is Output.JSON:
        typer.echo(json.dumps(made.as_json(), ensure_ascii=False))
    else:
        for line in text:
            typer.echo(line)
    raise typer.Exit(made.exit_status)
