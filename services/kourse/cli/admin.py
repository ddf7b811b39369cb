"""``kourse admin``: what an administrator runs beside the platform; the Helm hook runs ``migrate``."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from kourse.cli.options import Form, Output

app = typer.Typer(help="Administration of an installation.", no_args_is_help=True)


@app.command()
def migrate(
    database_url: Annotated[
        str,
        typer.Option(
            envvar="KOURSE_MIGRATE_DATABASE_URL",
            help="Address of the database as the role that owns it.",
            show_default=False,
        ),
    ],
    service: Annotated[
        list[str] | None,
        typer.Option(help="Only this service's schema; may be given several times."),
    ] = None,
    output: Form = Output.TEXT,
) -> None:
    """Bring every service's schema to this version; running it again changes nothing."""
    from kourse.kit.migrate import MigrationRefusedError, upgrade

    as_text = output is Output.TEXT
    try:
        done = upgrade(
            database_url, service or (), say=lambda line: _progress(line, err=not as_text)
        )
    except MigrationRefusedError as refused:
        typer.echo(f"kourse admin migrate: {refused}", err=True)
        raise typer.Exit(1) from None
    if as_text:
        count = sum(len(each.applied) for each in done)
        typer.echo(f"Up to date: {', '.join(each.service for each in done)} ({count} applied).")
    else:
        typer.echo(json.dumps({"schemas": [asdict(each) for each in done]}))


@app.command("rotate-keys")
def rotate_keys(
    directory: Annotated[
        Path,
        typer.Argument(
            help="Directory that identity reads its signing keys from.",
            exists=True,
            file_okay=False,
            writable=True,
        ),
    ],
) -> None:
    """Add a signing key that takes over in 20 minutes, and remove those that no valid token needs."""
    from kourse.kit.auth.key_files import begins_at, rotate

    made, removed = rotate(directory, now=time.time())
    begins = datetime.fromtimestamp(begins_at(made), UTC)
    typer.echo(f"{made.name} signs from {begins:%Y-%m-%d %H:%M:%S} UTC on.")
    for old in removed:
        typer.echo(f"{old.name} is removed: no valid token needs it.")


def _progress(line: str, *, err: bool) -> None:
    typer.echo(line, err=err)
