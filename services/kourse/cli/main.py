"""Entry point of ``kourse`` and, under the name ``kubectl-kourse``, of ``kubectl kourse``."""

from __future__ import annotations

import typer

from kourse.cli import admin, push_assets

app = typer.Typer(
    name="kourse",
    help="Courses as custom resources, learning by REST.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("apply")(push_assets.apply)
app.command("push-assets")(push_assets.push_assets)
app.add_typer(admin.app, name="admin")


def main() -> None:
    """Runs the command line."""
    app()
