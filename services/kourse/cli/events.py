"""``kourse events``: sees and mends events that stand aside, through the gateway."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from kourse.cli.event_views import DEAD_COLUMNS, PARKED_COLUMNS, moment, table, whole
from kourse.cli.options import Form, Output, Token, Url, failing, progress
from kourse.cli.session import CommandError, Problem, Session, open_session
from kourse.contracts.names import SERVICES

PAGE = 100
POLL_S = 1.0

app = typer.Typer(
    no_args_is_help=True,
    help="Events that a consumer set aside: see them, mend them, publish archived ones again.\n\n"
    "An event that fails is parked (`poison`) and its entity waits behind it (`blocked`); an event that "
    "came too early waits for the missing one (`gap`). Start with `kourse events list`, look at one with "
    "`show`, repair what made it fail, `replay` it, and list again.",
)

Events = Annotated[list[str], typer.Argument(metavar="EVENT...", help="Ids, as `list` shows them.")]
Only = Annotated[
    list[str] | None,
    typer.Option("--service", help=f"Only this one: {', '.join(SERVICES)}; repeatable."),
]
Type = Annotated[str | None, typer.Option("--type", help="Only this type of event.")]
Entity = Annotated[str | None, typer.Option(help="Only this entity's events.")]
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
    since: Annotated[
        str | None, typer.Option(help="Parked since then: 2h, 7d, 2026-01-31T08:00:00Z.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most of each service.")] = PAGE,
    dead: Dead = False,
    output: Form = Output.TEXT,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """List what stands aside, oldest first."""
    with _session("list", url, token, email, password_file) as session:
        wanted = {"type": type_, "entity": entity, "reason": reason, "since": _moment(since)}
        rows: list[dict[str, Any]] = []
        for name in _services(service):
            found = _dead(session, name) if dead else _parked(session, name, wanted, limit)
            rows += [{"service": name, **row} for row in found]
    if output is Output.JSON:
        typer.echo(json.dumps({"items": rows}))
    elif rows:
        typer.echo(table(rows, DEAD_COLUMNS if dead else PARKED_COLUMNS))
    else:
        typer.echo("No dead letters." if dead else "Nothing stands aside.")


@app.command()
def show(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="Its id.")],
    url: Url,
    service: Only = None,
    output: Form = Output.TEXT,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """Show one parked event whole: payload, headers, error, its place, what waits behind it."""
    with _session("show", url, token, email, password_file) as session:
        _, found = _find(session, event, service)
    typer.echo(json.dumps(found) if output is Output.JSON else whole(found))


@app.command()
def replay(
    events: Events,
    url: Url,
    service: Only = None,
    dead: Dead = False,
    dry_run: DryRun = False,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for the effect; 0 does not wait.")
    ] = 30.0,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """Let the consumer take failed events again, each with what waits behind it, in order.

    Repair the cause first. Replaying twice does no harm: what took effect does not do so again.
    """
    with _session("replay", url, token, email, password_file) as session:
        for event in events:
            name = _owner(session, event, service, dead=dead)
            typer.echo(_act(session, name, event, "replay", {"dryRun": dry_run}, dead=dead))
            if wait and not dead and not dry_run:
                typer.echo(_wait_for_effect(session, name, event, wait))


@app.command()
def drop(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="Its id.")],
    reason: Why,
    url: Url,
    accept_gap: Annotated[
        bool, typer.Option("--accept-gap", help="Skip its number for good: its effect is lost.")
    ] = False,
    service: Only = None,
    dead: Dead = False,
    dry_run: DryRun = False,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """Give an event up, so that its entity goes on behind it. There is no way back but `republish`."""
    body = {"reason": reason, "acceptGap": accept_gap, "dryRun": dry_run}
    with _session("drop", url, token, email, password_file) as session:
        name = _owner(session, event, service, dead=dead)
        typer.echo(_act(session, name, event, "drop", body, dead=dead))


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
        for name in _services(service):
            typer.echo(f"{name}: {_republish(session, name, body, rate, dry_run=dry_run)}")


@app.command()
def epoch(
    url: Url,
    renew: Annotated[bool, typer.Option("--renew", help="Do it.")] = False,
    service: Only = None,
    dry_run: DryRun = False,
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
        for name in _services(service):
            try:
                done = session.post(_path(name, "events", "epoch"), {"dryRun": dry_run})
            except Problem as problem:
                if problem.code != "not-found":
                    raise
                typer.echo(f"{name}: takes no events.")
            else:
                typer.echo(done["says"])


def _services(only: list[str] | None) -> list[str]:
    if unknown := set(only or ()) - set(SERVICES):
        raise CommandError(
            f"There is no service {min(unknown)!r}; there are {', '.join(SERVICES)}."
        )
    return only or list(SERVICES)


def _moment(text: str | None) -> str | None:
    if text is None:
        return None
    from kourse.kit.clock import now  # its library takes most of a second to load

    try:
        return moment(text, now()).isoformat()
    except ValueError as error:
        raise CommandError(str(error)) from None


def _path(service: str, *parts: str) -> str:
    return "/".join(("/v1/operations", service, *parts))


def _parked(
    session: Session, service: str, wanted: dict[str, Any], limit: int
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    following = None
    while len(rows) < limit:
        asked = {**wanted, "limit": min(limit - len(rows), PAGE), "after": following}
        given = {name: value for name, value in asked.items() if value is not None}
        page = session.get(f"{_path(service, 'events')}?{urlencode(given)}")
        rows += page["items"]
        following = page["next"]
        if following is None:
            break
    return rows


def _dead(session: Session, service: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = session.get(_path(service, "dead-letters"))["items"]
    return found


def _find(session: Session, event: str, only: list[str] | None) -> tuple[str, dict[str, Any]]:
    """The service where the event is parked, and the event."""
    for name in _services(only):
        try:
            found = session.get(_path(name, "events", event))
        except Problem as problem:
            if problem.code != "not-found":
                raise
        else:
            return name, {"service": name, **found}
    raise CommandError(f"The event {event} is parked nowhere; perhaps it took effect meanwhile.")


def _owner(session: Session, event: str, only: list[str] | None, *, dead: bool) -> str:
    if not dead:
        return _find(session, event, only)[0]
    for name in _services(only):
        if event in {row["key"] for row in _dead(session, name)}:
            return name
    raise CommandError(f"There is no dead letter {event}.")


def _act(
    session: Session, service: str, event: str, act: str, body: dict[str, Any], *, dead: bool
) -> str:
    if dead:
        body = {name: value for name, value in body.items() if name != "acceptGap"}
    room = "dead-letters" if dead else "events"
    says: str = session.post(_path(service, room, event, act), body)["says"]
    return says


def _wait_for_effect(session: Session, service: str, event: str, seconds: float) -> str:
    """What became of the event.

    Raises:
        CommandError: It failed again, or nothing became of it in time.
    """
    end = monotonic() + seconds
    while monotonic() < end:
        progress(f"waiting for {service} to take {event}")
        sleep(POLL_S)
        try:
            found = session.get(_path(service, "events", event))
        except Problem as problem:
            if problem.code == "not-found":
                return "It took effect."
            raise
        if found["reason"] == "poison":
            raise CommandError(f"It failed again: {found['error']}")
    raise CommandError(f"It has not taken effect after {seconds:g} s; is {service} running?")


def _republish(
    session: Session, service: str, body: dict[str, Any], rate: float, *, dry_run: bool
) -> str:
    path = _path(service, "events", "republish")
    planned = session.post(path, {**body, "dryRun": True})
    if dry_run or not planned["events"]:
        says: str = planned["says"]
        return says
    sent = 0
    for done in _batches(session, path, body):
        sent += done
        progress(f"{service}: {sent} of {planned['events']}")
        sleep(done / rate)
    return f"{sent} archived events were published again."


def _batches(session: Session, path: str, body: dict[str, Any]) -> Iterable[int]:
    after: int | None = 0
    while after is not None:
        done = session.post(path, {**body, "after": after})
        after = done["next"]
        yield done["events"]
