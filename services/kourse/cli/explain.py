"""``kourse explain``: why an object is not ready, and why a learner can or cannot do something."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import typer

from kourse.cli.kubectl import Kubectl, parse, resource
from kourse.cli.manifests import Manifest
from kourse.cli.options import (
    Email,
    Form,
    Namespace,
    Output,
    PasswordFile,
    Token,
    Url,
    failing,
    progress,
)
from kourse.cli.options import Kubectl as KubectlOption
from kourse.cli.planning import Planner
from kourse.cli.plans import ERRORS
from kourse.cli.session import CommandError, Problem, Session, open_session
from kourse.cli.status import row_of
from kourse.contracts.explanations import Explanation
from kourse.contracts.plans import Action, Planned

app = typer.Typer(help="Why something is as it is, rule by rule.", no_args_is_help=True)
NO = 2
EXITS = "Exit status: 0 the learner can, 2 they cannot, 1 something is wrong."
MOST_EVENTS = 10
Learner = Annotated[
    str, typer.Option(metavar="ID|EMAIL", help="Id of the learner, or their e-mail address.")
]


@app.command("resource", epilog="Exit status: 0 it is ready, 2 it is not, 1 something is wrong.")
def explain_resource(
    target: Annotated[str, typer.Argument(metavar="KIND/NAME", help="As course/statistics.")],
    url: Url,
    namespace: Namespace = "",
    kubectl: KubectlOption = "kubectl",
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
) -> None:
    """Why an object is not ready: its conditions, its events, and what its owner says now."""
    with failing("explain"):
        kind, name = parse(target)
        asked = Kubectl(kubectl, namespace)
        item = asked.read("get", resource(kind), name)
        selector = f"involvedObject.uid={item['metadata']['uid']}"
        events = asked.read("get", "events", "--field-selector", selector)["items"]
        declared = Manifest(
            kind.kind, name, "", item["metadata"].get("annotations") or {}, item["spec"], Path()
        )
        with closing(open_session(url, token, email, password_file)) as session:
            plan = Planner(session, progress).plan([declared], [])
    for line in resource_lines(item, events, plan.entries[0].planned):
        typer.echo(line)
    if row_of(item).ready != "True":
        raise typer.Exit(NO)


@app.command("lesson", epilog=EXITS)
def explain_lesson(
    target: Annotated[str, typer.Argument(metavar="COURSE/LESSON")],
    learner: Learner,
    url: Url,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
    output: Form = Output.TEXT,
) -> None:
    """Why a learner can or cannot see a lesson."""
    with failing("explain"):
        course, key = lesson_named(target)
    path = f"/v1/courses/{course}/lessons/{key}/access"
    _access(path, learner, "see", url, token, email, password_file, output)


@app.command("exam", epilog=EXITS)
def explain_exam(
    name: Annotated[str, typer.Argument(metavar="EXAM")],
    learner: Learner,
    url: Url,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
    output: Form = Output.TEXT,
) -> None:
    """Why a learner can or cannot start an exam; nothing is started."""
    path = f"/v1/exams/{quote(name, safe='')}/access"
    _access(path, learner, "start", url, token, email, password_file, output)


def _access(
    path: str,
    learner: str,
    verb: str,
    url: str,
    token: str,
    email: str,
    password_file: Path | None,
    output: Output,
) -> None:
    with (
        failing("explain"),
        closing(open_session(url, token, email, password_file)) as session,
    ):
        asked = f"{path}?learner={learner_id(session, learner)}"
        found = Explanation.model_validate(session.get(asked))
    if output is Output.JSON:
        typer.echo(found.model_dump_json(by_alias=True))
    else:
        for line in access_lines(found, verb):
            typer.echo(line)
    if not found.allowed:
        raise typer.Exit(NO)


def lesson_named(text: str) -> tuple[str, str]:
    """Names of a course and of its lesson, from ``statistics/what-data-are``.

    Raises:
        CommandError: It is no such text.
    """
    course, _, lesson = text.partition("/")
    if not course or not lesson or "/" in lesson:
        raise CommandError(f"{text!r} is not COURSE/LESSON, as statistics/what-data-are.")
    return quote(course, safe=""), quote(lesson, safe="")


def learner_id(session: Session, learner: str) -> UUID:
    """The id that is given, or that of the member with the e-mail address that is given.

    Raises:
        CommandError: It is neither, no member has the address, or the caller may not look people up.
    """
    if "@" not in learner:
        try:
            return UUID(learner)
        except ValueError:
            raise CommandError(f"{learner!r} is neither an id nor an e-mail address.") from None
    try:
        found = session.get(f"/v1/memberships?email={quote(learner)}")["items"]
    except Problem as problem:
        if problem.code != "forbidden":
            raise
        raise CommandError(f"{problem} Give the learner's id instead of an address.") from problem
    if not found:
        raise CommandError(f"No member here has the address {learner!r}.")
    return UUID(found[0]["userId"])


def access_lines(found: Explanation, verb: str) -> Iterator[str]:
    """The decision, then every rule with a mark."""
    can = "can" if found.allowed else "cannot"
    yield f"{found.learner_id} {can} {verb} the {found.subject}"
    for rule in found.rules:
        yield f"  {'✓' if rule.holds else '✗'} {rule.rule}: {rule.sentence}"
    if found.detail:
        yield f"  The learner is told ({found.code}): {found.detail}"


def resource_lines(
    item: Mapping[str, Any], events: Sequence[Mapping[str, Any]], planned: Planned
) -> Iterator[str]:
    """Conditions, newest events and the owner's answer."""
    row = row_of(item)
    yield f"{row.kind}/{row.name}: {'ready' if row.ready == 'True' else 'not ready'}. {row.problem}".rstrip()
    yield "Conditions:"
    for one in (item.get("status") or {}).get("conditions") or ():
        said = json.dumps(one.get("message", ""), ensure_ascii=False)
        yield f"  {one['type']}={one['status']} {one['reason']} since {one.get('lastTransitionTime')}: {said}"
    newest = sorted(events, key=lambda one: str(one.get("lastTimestamp") or one.get("eventTime")))
    yield "Events:" if newest else "Events: none."
    for one in newest[-MOST_EVENTS:]:
        when = one.get("lastTimestamp") or one.get("eventTime")
        yield f"  {when} {one.get('type')} {one.get('reason')}: {one.get('message')}"
    yield from _owner(planned)


def _owner(planned: Planned) -> Iterator[str]:
    if planned.action in ERRORS:
        yield "Its owner would not take it now:"
        yield from (
            f"  {one.field + ': ' if one.field else ''}{one.message}" for one in planned.problems
        )
    elif planned.action is Action.UNCHANGED:
        yield "Its owner has it as declared."
    else:
        yield f"Its owner takes it, and it is not applied yet: {planned.action.value}."
    yield from (f"  waits: {text}" for text in planned.pending)
