"""Entry point of ``kourse`` and, under the name ``kubectl-kourse``, of ``kubectl kourse``."""

from __future__ import annotations

from typing import Any

import typer

from kourse.cli import admin, audit, events, explain, export, marks, plan, push_assets, status

_UsageError: Any = typer.BadParameter.__mro__[1]
_UsageError.exit_code = 64
"""EX_USAGE of sysexits.h, so that a mistyped option is not taken for `2`, which says that a plan has changes."""

app = typer.Typer(
    name="kourse",
    help="Courses as custom resources, learning by REST.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("plan", epilog=plan.EXITS)(plan.plan)
app.command("diff", epilog=plan.EXITS)(plan.diff)
app.command("apply")(push_assets.apply)
app.command("push-assets")(push_assets.push_assets)
app.command("status", epilog="Exit status: 0 all is ready, 2 something is not, 1 failed.")(
    status.status
)
app.add_typer(explain.app, name="explain")
app.command("export")(export.export)
app.command("pause")(marks.pause)
app.command("resume")(marks.resume)
app.command("adopt")(marks.adopt)
app.add_typer(admin.app, name="admin")
app.add_typer(audit.app, name="audit")
app.add_typer(events.app, name="events")


def main() -> None:
    """Runs the command line."""
    app()
