"""``kourse audit``: looks into the audit trail, takes it away, and finds out whether it is whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from kourse.cli import audit_trail
from kourse.cli.event_views import table
from kourse.cli.events import Email, PasswordFile
from kourse.cli.options import Form, Output, Token, Url, failing
from kourse.cli.session import CommandError, Session, open_session
from kourse.rules.audit_chain import Chain, ChainBroken

app = typer.Typer(
    no_args_is_help=True,
    help="The audit trail of your tenant: who did what, who was refused, and that nobody changed it since.\n\n"
    "`export` takes the trail away; `verify FILE` then needs neither the platform nor trust in it. Note the "
    "`head` that `verify` prints somewhere else: `verify --noted` finds a trail that was cut off or made anew.",
)
BROKEN = 2
"""Exit status where the trail is not what was sealed."""


class As(StrEnum):
    """How an export is written."""

    NDJSON = "ndjson"
    CSV = "csv"


Actor = Annotated[str | None, typer.Option(help="Id of who acted.", show_default=False)]
Action = Annotated[str | None, typer.Option(help="Name of the act, or how it begins: `auth.*`.")]
Target = Annotated[str | None, typer.Option(help="Id of what it was done to.", show_default=False)]
Outcome = Annotated[str | None, typer.Option(help="`done` or `refused`.", show_default=False)]
Since = Annotated[str | None, typer.Option(help="From then on: 2h, 7d, 2026-01-31T08:00:00Z.")]
Until = Annotated[str | None, typer.Option(help="Before then, in the same forms.")]
Noted = Annotated[
    str | None,
    typer.Option(
        metavar="SEQ:HASH", help="A head that an earlier look printed.", show_default=False
    ),
]


@contextmanager
def _session(
    command: str, url: str, token: str, email: str, password_file: Path | None
) -> Iterator[Session]:
    with (
        failing(f"audit {command}"),
        closing(open_session(url, token, email, password_file)) as session,
    ):
        yield session


@app.command("list")
def list_entries(
    url: Url,
    actor: Actor = None,
    action: Action = None,
    target: Target = None,
    outcome: Outcome = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="Most entries.")] = 20,
    output: Form = Output.TEXT,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """List entries, newest first; the look itself is recorded."""
    with _session("list", url, token, email, password_file) as session:
        wanted = audit_trail.filters(actor, action, target, outcome, since, until)
        rows = audit_trail.newest(session, wanted, limit)
    if output is Output.JSON:
        typer.echo(json.dumps({"items": rows}))
    else:
        typer.echo(table(rows, audit_trail.COLUMNS) or "No entries.")


@app.command()
def export(
    url: Url,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to write it.", dir_okay=False)
    ],
    actor: Actor = None,
    action: Action = None,
    target: Target = None,
    outcome: Outcome = None,
    since: Since = None,
    until: Until = None,
    form: Annotated[As, typer.Option("--format", help="`csv` cannot be verified.")] = As.NDJSON,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """Write the trail into a file, oldest first; the export itself is recorded."""
    with _session("export", url, token, email, password_file) as session:
        wanted = audit_trail.filters(actor, action, target, outcome, since, until)
        count = audit_trail.write(session, wanted, form.value, file)
    typer.echo(f"{file}: {count} entries.")


@app.command(epilog="Exit status: 0 it is whole, 2 it is not, 1 it could not be read.")
def verify(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="An export; without one the trail is read from the platform.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    url: Annotated[str, typer.Option(envvar="KOURSE_URL", help="Address of the gateway.")] = "",
    noted: Noted = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Entries may be left out: an export with filters.")
    ] = False,
    output: Form = Output.TEXT,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """Compute every hash of the trail again and name the first entry that is not what was sealed."""
    with failing("audit verify"):
        chain = Chain(is_partial=partial, noted=audit_trail.head_of(noted))
        if file is not None:
            result = _followed(chain, audit_trail.lines_of(file))
        elif url:
            with closing(open_session(url, token, email, password_file)) as session:
                result = _followed(chain, audit_trail.entries(session))
        else:
            raise CommandError("Name a file, or say where the platform is: set KOURSE_URL.")
    typer.echo(json.dumps(result) if output is Output.JSON else _sentence(result))
    if not result["valid"]:
        raise typer.Exit(BROKEN)


def _followed(chain: Chain, entries: Iterator[dict[str, Any]]) -> dict[str, Any]:
    broken = None
    try:
        for entry in entries:
            chain.follow(entry)
        chain.end()
    except ChainBroken as found:
        broken = {"seq": found.seq, "reason": found.reason}
    return {
        "valid": broken is None,
        "entries": chain.count,
        "erasedAddresses": chain.erased,
        "head": {"seq": chain.seq, "hash": chain.hash},
        "firstBroken": broken,
    }


def _sentence(result: dict[str, Any]) -> str:
    head, broken = result["head"], result["firstBroken"]
    if broken:
        return f"Broken: entry {broken['seq']}: {broken['reason']} The {result['entries']} before it are whole."
    erased = (
        f", {result['erasedAddresses']} without their address" if result["erasedAddresses"] else ""
    )
    return f"Whole: {result['entries']} entries{erased}.\nHead {head['seq']}:{head['hash']}"
