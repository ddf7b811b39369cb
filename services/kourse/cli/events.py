"""``kourse events``: sees and mends events that stand aside, through the gateway."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from kourse.cli import event_calls as calls
from kourse.cli import event_replay
from kourse.cli.event_views import DEAD_COLUMNS, PARKED_COLUMNS, letter, moment, table, whole
from kourse.cli.options import FAILED, Form, Output, Token, Url, failing
from kourse.cli.session import CommandError, Problem, Session, open_session
from kourse.contracts.names import SERVICES

Row = dict[str, Any]

app = typer.Typer(
    no_args_is_help=True,
    help="Events that a consumer set aside: see them, mend them, publish archived ones again.\n\n"
    "An event that fails is parked (`poison`) and its entity waits behind it (`blocked`); an event that "
    "came too early waits for the missing one (`gap`). Start with `kourse events list`, look at one with "
    "`show`, repair what made it fail, `replay` it, and list again.",
)

Event = Annotated[str, typer.Argument(metavar="EVENT", help="Its id, as `list` shows it.")]
Events = Annotated[
    list[str] | None,
    typer.Argument(metavar="EVENT...", help="Ids, as `list` shows them.", show_default=False),
]
Only = Annotated[
    list[str] | None,
    typer.Option("--service", help=f"Only this one: {', '.join(SERVICES)}; repeatable."),
]
Type = Annotated[str | None, typer.Option("--type", help="Only this type of event.")]
Entity = Annotated[str | None, typer.Option(help="Only this entity's events.")]
Since = Annotated[str | None, typer.Option(help="Parked since then: 2h, 7d, 2026-01-31T08:00:00Z.")]
Dead = Annotated[
    bool,
    typer.Option("--dead", help="Dead letters: messages that could not even be parked."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]
Why = Annotated[str, typer.Option(help="Why; it is audited.", show_default=False)]
Email = Annotated[
    str, typer.Option(envvar=["KOURSE_EMAIL", "KOURSE_ADMIN_EMAIL"], help="Log-in of an admin.")
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        envvar=["KOURSE_PASSWORD_FILE", "KOURSE_ADMIN_PASSWORD_FILE"],
        help="File that holds the log-in's password.",
    ),
]


@contextmanager
def _session(
    command: str, url: str, token: str, email: str, password_file: Path | None
) -> Iterator[Session]:
    with (
        failing(f"events {command}"),
        closing(open_session(url, token, email, password_file)) as session,
    ):
        yield session


@app.command("list")
def list_events(
    url: Url,
    service: Only = None,
    type_: Type = None,
    entity: Entity = None,
    reason: Annotated[
        str | None, typer.Option(help="Only `poison`, `blocked` or `gap`.", show_default=False)
    ] = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, help="Most of each service.")] = calls.PAGE,
    dead: Dead = False,
    output: Form = Output.TEXT,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """List what stands aside, oldest first."""
    with _session("list", url, token, email, password_file) as session:
        wanted = {"type": type_, "entity": entity, "reason": reason, "since": _moment(since)}
        rows = _search(session, service, wanted, limit, dead=dead)
    columns = DEAD_COLUMNS if dead else PARKED_COLUMNS
    nothing = "No dead letters." if dead else "Nothing stands aside."
    _print({"items": rows}, output, lambda _: table(rows, columns) if rows else nothing)


@app.command()
def show(
    event: Event,
    url: Url,
    service: Only = None,
    dead: Dead = False,
    output: Form = Output.TEXT,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """Show one parked event whole: payload, headers, error, its place, what waits behind it."""
    with _session("show", url, token, email, password_file) as session:
        found = calls.find(session, event, service, dead=dead)
    _print(found, output, letter if dead else whole)


@app.command()
def replay(
    url: Url,
    events: Events = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Every event that failed, or that the options leave.")
    ] = False,
    service: Only = None,
    type_: Type = None,
    entity: Entity = None,
    since: Since = None,
    dead: Dead = False,
    dry_run: DryRun = False,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for the effects; 0 does not wait.")
    ] = 30.0,
    output: Form = Output.TEXT,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """Let the consumer take failed events again, each with what waits behind it, in order.

    Repair the cause first. Replaying twice does no harm: what took effect does not do so again.
    """
    with _session("replay", url, token, email, password_file) as session:
        wanted = {"type": type_, "entity": entity, "since": _moment(since)}
        if all_ == bool(events):
            raise CommandError("Name the events to replay, or say --all.")
        if events and any(wanted.values()):
            raise CommandError("--type, --entity and --since go with --all.")
        if events:
            chosen = [calls.locate(session, event, service, dead=dead) for event in events]
        else:
            chosen = _failed(session, service, wanted, dead=dead)
        done = event_replay.replay(session, chosen, dry_run=dry_run)
        if wait and not dead:
            done = event_replay.wait_for_effects(session, done, wait)
    _print({"items": done}, output, lambda _: _told(done))
    if any(one["became"] in event_replay.WRONG for one in done):
        raise typer.Exit(FAILED)


@app.command()
def drop(
    event: Event,
    reason: Why,
    url: Url,
    accept_gap: Annotated[
        bool, typer.Option("--accept-gap", help="Skip its number for good: its effect is lost.")
    ] = False,
    service: Only = None,
    dead: Dead = False,
    dry_run: DryRun = False,
    output: Form = Output.TEXT,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """Give an event up, so that its entity goes on behind it. There is no way back but `republish`."""
    body: Row = {"reason": reason, "dryRun": dry_run}
    if not dead:
        body["acceptGap"] = accept_gap
    with _session("drop", url, token, email, password_file) as session:
        one = calls.locate(session, event, service, dead=dead)
        done = calls.act(session, one, "drop", body)
    _print(done, output, _says)


@app.command()
def republish(
    since: Annotated[str, typer.Option(help="From then on: 2h, 7d, 2026-01-31T08:00:00Z.")],
    url: Url,
    until: Annotated[str | None, typer.Option(help="Before then.", show_default=False)] = None,
    service: Only = None,
    type_: Type = None,
    entity: Entity = None,
    consumer: Annotated[
        str | None,
        typer.Option(help="Straight to this one; else to everybody, outside feeds included."),
    ] = None,
    rate: Annotated[float, typer.Option(min=1, help="Most events per second.")] = 500.0,
    dry_run: DryRun = False,
    output: Form = Output.TEXT,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """Publish archived events again, for a consumer that was restored or that is new.

    Consumers drop what took effect before. The archive reaches 30 days back.
    """
    with _session("republish", url, token, email, password_file) as session:
        wanted = {"since": _moment(since), "until": _moment(until), "type": type_}
        wanted |= {"entity": entity, "consumer": consumer}
        body = {name: value for name, value in wanted.items() if value is not None}
        done = [
            calls.republish(session, name, body, rate, dry_run=dry_run)
            for name in calls.services_of(service)
        ]
    _print({"items": done}, output, lambda _: _by_service(done))


@app.command()
def epoch(
    url: Url,
    renew: Annotated[bool, typer.Option("--renew", help="Do it.")] = False,
    service: Only = None,
    dry_run: DryRun = False,
    output: Form = Output.TEXT,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """Make all that Redis remembers of events worthless; run it after a database was restored.

    Wait ten seconds after it, then `republish --since` the moment of the backup.
    """
    with _session("epoch", url, token, email, password_file) as session:
        if not renew:
            raise CommandError("Say --renew to renew it; nothing was done.")
        done = [_renewed(session, name, dry_run=dry_run) for name in calls.services_of(service)]
    _print({"items": done}, output, lambda _: _by_service(done))


def _renewed(session: Session, service: str, *, dry_run: bool) -> Row:
    try:
        done = session.post(calls.path_of(service, "events", "epoch"), {"dryRun": dry_run})
    except Problem as problem:
        if problem.code != calls.ABSENT:
            raise
        done = {"done": False, "events": 0, "says": "It never took an event."}
    return {"service": service, **done}


def _failed(
    session: Session, services: Sequence[str] | None, wanted: Mapping[str, Any], *, dead: bool
) -> list[calls.Aside]:
    only = wanted if dead else {**wanted, "reason": "poison"}
    rows = _search(session, services, only, None, dead=dead)
    return [calls.Aside(row["service"], row["key" if dead else "eventId"], dead) for row in rows]


def _search(
    session: Session,
    services: Sequence[str] | None,
    wanted: Mapping[str, Any],
    limit: int | None,
    *,
    dead: bool,
) -> list[Row]:
    """What stands aside in these services and meets the filters.

    Raises:
        CommandError: Dead letters know no such filter.
    """
    if dead and any(value for name, value in wanted.items() if name != "type"):
        raise CommandError("Of dead letters only --service and --type can be asked for.")
    rows: list[Row] = []
    for name in calls.services_of(services):
        if dead:
            rows += calls.dead_letters(session, name, wanted["type"])[:limit]
        else:
            rows += calls.parked(session, name, wanted, limit)
    return rows


def _moment(text: str | None) -> str | None:
    if text is None:
        return None
    from kourse.kit.clock import now  # its library takes most of a second to load

    try:
        return moment(text, now()).isoformat()
    except ValueError as error:
        raise CommandError(str(error)) from None


def _print(result: Row, output: Output, as_text: Callable[[Row], str]) -> None:
    typer.echo(json.dumps(result) if output is Output.JSON else as_text(result))


def _says(outcome: Row) -> str:
    return str(outcome["says"])


def _by_service(outcomes: Sequence[Row]) -> str:
    return "\n".join(f"{one['service']}: {one['says']}" for one in outcomes)


def _told(outcomes: Sequence[Row]) -> str:
    """What became of the events that were to be replayed; of many, a line each and their numbers."""
    if len(outcomes) == 1:
        return _says(outcomes[0])
    lines = [f"{one['service']} {one['event']}: {one['says']}" for one in outcomes]
    numbers = Counter(one["became"].value for one in outcomes)
    said = ", ".join(f"{count} {became}" for became, count in sorted(numbers.items()))
    return "\n".join([*lines, said or "Nothing failed, so there is nothing to replay."])
