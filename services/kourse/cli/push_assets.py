"""``kourse push-assets`` and ``kourse apply``: manifests, and the files that they name."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import attrgetter
from time import monotonic, sleep
from typing import Annotated, Any, TypeVar

import httpx2
import typer

from kourse.cli import manifests
from kourse.cli.declared_files import DeclaredFile, declared_files
from kourse.cli.kubectl import Kubectl
from kourse.cli.options import (
    Email,
    Form,
    Namespace,
    Output,
    PasswordFile,
    Places,
    Timeout,
    Token,
    Url,
    failing,
)
from kourse.cli.options import Kubectl as KubectlOption
from kourse.cli.readiness import wait_ready
from kourse.cli.session import CommandError, Problem, Session, open_session

PAUSE_S = 0.5
BATCH = 20
"""Files offered, sent and confirmed together, so that no link runs out before its turn."""
KIBI = 1024
T = TypeVar("T")


@dataclass(frozen=True)
class Pushed:
    """What became of one course's files."""

    course: str
    sent: int
    present: int
    published: int | None


class Pusher:
    """Sends files of courses that the operator may still be making.

    Args:
        session: Who sends.
        patience_s: Seconds to wait for a manifest that was just applied to take effect.
        say: Told of progress.
    """

    def __init__(self, session: Session, patience_s: float, say: Callable[[str], None]) -> None:
        self._session = session
        self._end = monotonic() + patience_s
        self._say = say

    def push(self, course: str, files: list[DeclaredFile]) -> Pushed:
        """The course's files are stored.

        Raises:
            CommandError: The platform refuses one, or the course does not appear in time.
        """
        sent, published = 0, None
        for start in range(0, len(files), BATCH):
            part = files[start : start + BATCH]
            now_sent, now_published = self._push_some(course, part, start, len(files))
            sent, published = sent + now_sent, now_published or published
        return Pushed(course, sent, len(files) - sent, published)

    def _push_some(
        self, course: str, files: list[DeclaredFile], before: int, total: int
    ) -> tuple[int, int | None]:
        """How many of the files were not stored, and the version that their coming took live."""
        path = f"/v1/authoring/courses/{course}/assets"
        offer = {"assets": [one.offer for one in files]}
        wanted = self._patiently(course, lambda: self._session.post(path, offer))
        uploads = {upload["sha256"]: upload for upload in wanted["uploads"]}
        for number, one in enumerate(files, before + 1):
            if upload := uploads.get(one.sha256):
                self._say(f"{course}: {one.path}, {_size(one)} ({number} of {total})")
                self._patiently(course, partial(self._send, one, upload))
        digests = [*uploads, *wanted["present"]]
        if not digests:
            return 0, None
        confirmed = self._session.post(f"{path}/stored", {"sha256s": digests})
        return len(digests), confirmed["published"]

    def _send(self, one: DeclaredFile, upload: dict[str, Any]) -> None:
        with one.file.open("rb") as content:
            headers = {**upload["headers"], "Content-Length": str(one.file.stat().st_size)}
            try:
                answer = self._session.http.request(
                    upload["method"], upload["url"], content=content, headers=headers
                )
            except httpx2.HTTPError as error:
                raise CommandError(
                    f"The object store does not take {one.path!r}: {error}"
                ) from error
        if not answer.is_success:
            code = "not-found" if answer.status_code == httpx2.codes.NOT_FOUND else "refused"
            raise Problem(code, f"The object store refuses {one.path!r}: {answer.status_code}")

    def _patiently(self, course: str, action: Callable[[], T]) -> T:
        told = False
        while True:
            try:
                return action()
            except Problem as problem:
                if not (problem.passes or problem.code == "asset-refused"):
                    raise
                if not told:
                    self._say(f"{course}: waiting for the operator ({problem})")
                    told = True
                if monotonic() >= self._end:
                    raise
            sleep(PAUSE_S)


def _size(one: DeclaredFile) -> str:
    size = float(one.file.stat().st_size)
    for unit in ("bytes", "KiB", "MiB"):
        if size < KIBI:
            return f"{size:.0f} {unit}"
        size /= KIBI
    return f"{size:.1f} GiB"


def push_assets(
    places: Places,
    url: Url,
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
    timeout: Timeout = 60.0,
    output: Form = Output.TEXT,
) -> None:
    """Send the files that Course manifests name; what is stored already is not sent again."""

    def say(line: str) -> None:
        typer.echo(line, err=output is not Output.TEXT)

    with failing("push-assets"):
        files = sorted(declared_files(places), key=attrgetter("course"))
        done = []
        if files:
            with closing(open_session(url, token, email, password_file)) as session:
                pusher = Pusher(session, timeout, say)
                courses = groupby(files, attrgetter("course"))
                done = [pusher.push(course, list(group)) for course, group in courses]
    if output is Output.JSON:
        typer.echo(json.dumps({"courses": [vars(one) for one in done]}))
        return
    for one in done:
        live = f"; version {one.published} is live" if one.published else ""
        typer.echo(f"{one.course}: {one.sent} sent, {one.present} there already{live}")
    if not done:
        typer.echo("no manifest names a file; nothing to send")


def apply(
    places: Places,
    url: Url,
    namespace: Namespace = "",
    kubectl: KubectlOption = "kubectl",
    token: Token = "",
    email: Email = "",
    password_file: PasswordFile = None,
    timeout: Timeout = 60.0,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every object is ready.")] = False,
    output: Form = Output.TEXT,
) -> None:
    """Run kubectl apply on the manifests, then send the files that they name."""
    with failing("apply"):
        declared_files(places)
    command = [kubectl, "apply", "--server-side", "--recursive"]
    command += ["--namespace", namespace] if namespace else []
    for place in places:
        command += ["-f", str(place)]
    quiet = subprocess.PIPE if output is Output.JSON else None
    try:
        ran = subprocess.run(command, stdout=quiet, check=False)  # noqa: S603 - no shell
    except OSError:
        typer.echo(
            f"kourse apply: {kubectl!r} cannot be run; install kubectl, or say where it is with "
            "--kubectl (KOURSE_KUBECTL).",
            err=True,
        )
        raise typer.Exit(1) from None
    if ran.returncode:
        raise typer.Exit(ran.returncode)
    push_assets(places, url, token, email, password_file, timeout, output)
    if wait:
        with failing("apply"):
            applied = manifests.read(places)
            wait_ready(Kubectl(kubectl, namespace), applied, timeout, partial(typer.echo, err=True))
