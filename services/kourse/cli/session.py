"""One person's session at the gateway, for commands that speak REST."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import Any
from uuid import uuid4

import httpx2

TIMEOUT_S = 30.0
RETRYABLE = frozenset({"dependency-not-ready", "unavailable", "deadline-exceeded", "not-found"})
"""Problems that pass by themselves while a manifest that was just applied takes effect."""
PERSONAL_TOKEN = "kourse_pat_"  # noqa: S105 - a prefix
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a grant's name
PATIENCE_S = 60.0
"""Longest wait for a quota; they are filled again within a minute."""


class CommandError(Exception):
    """The command cannot go on; the text says why and what to do."""


class Problem(CommandError):
    """The platform answered with a problem document (RFC 9457).

    Attributes:
        code: Which problem.
        wait_s: Seconds after which the quota has room again; None for any other problem.
    """

    def __init__(self, code: str, detail: str, wait_s: float | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.wait_s = wait_s

    @property
    def passes(self) -> bool:
        """Whether asking again a little later may succeed."""
        return self.code in RETRYABLE


class BrokenOff(CommandError):
    """A long answer ended before its end; what came until then is whole lines."""


@dataclass
class Session:
    """Calls the gateway with an access token.

    Attributes:
        url: Address of the gateway.
        token: Access token; it lives for minutes.
        login: E-mail address and password by which a new one is got, or None.
        program: Secret of a program, for which a new one is got: a personal access token, or client id
            and secret of a service account with a colon between them; "" without one.
        http: The client.
    """

    url: str
    token: str = field(default="", repr=False)
    login: dict[str, str] | None = field(default=None, repr=False)
    program: str = field(default="", repr=False)
    http: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=TIMEOUT_S))

    def close(self) -> None:
        """Ends the connections."""
        self.http.close()

    def log_in(self) -> None:
        """The session has a new access token.

        Raises:
            Problem: The log-in is refused.
            CommandError: The gateway cannot be reached.
        """
        self.token = ""
        if self.program:
            self.token = self._exchange()
        else:
            self.token = self._send("POST", "/v1/auth/login", self.login or {})["accessToken"]

    def _exchange(self) -> str:
        """A fresh access token for the program's secret."""
        client_id, separator, secret = self.program.rpartition(":")
        if separator:
            form = {"grant_type": "client_credentials"}
            login = httpx2.BasicAuth(client_id, secret)
        else:
            form, login = {"grant_type": TOKEN_EXCHANGE, "subject_token": secret}, None
        with self._reaching():
            answer = self.http.post(
                f"{self.url}/v1/oauth/token", data=form, auth=login or httpx2.Auth()
            )
        if not answer.is_success:
            raise problem_of(answer)
        return str(answer.json()["access_token"])

    def get(self, path: str) -> Any:
        """The answer's JSON; a token that has run out meanwhile is renewed where there is a log-in.

        Waits when the caller's quota is used up, so that a long command comes to its end.

        Raises:
            Problem: The platform refuses.
            CommandError: The gateway cannot be reached.
        """
        return self._renewing("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """As ``get``, for a request with a body."""
        return self._renewing("POST", path, body)

    def lines(self, path: str) -> Iterator[str]:
        """Lines of a long answer, as they come; the token must be fresh, so ``get`` something before.

        Raises:
            BrokenOff: The answer ended before its end.
            Problem: The platform refuses.
            CommandError: The gateway cannot be reached.
        """
        headers = {"Authorization": f"Bearer {self.token}"}
        with self._reaching(), self.http.stream("GET", self.url + path, headers=headers) as answer:
            if not answer.is_success:
                answer.read()
                raise problem_of(answer)
            try:
                yield from answer.iter_lines()
            except httpx2.HTTPError as error:
                raise BrokenOff(f"The answer broke off: {error}.") from error

    def _renewing(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            return self._waiting(method, path, body)
        except Problem as problem:
            if problem.code != "unauthenticated" or not (self.program or self.login):
                raise
        self.log_in()
        return self._waiting(method, path, body)

    def _waiting(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        while True:
            try:
                return self._send(method, path, body)
            except Problem as problem:
                if problem.wait_s is None or problem.wait_s > PATIENCE_S:
                    raise
                sleep(problem.wait_s)

    def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        headers = {} if method == "GET" else {"Idempotency-Key": str(uuid4())}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        with self._reaching():
            answer = self.http.request(method, self.url + path, json=body, headers=headers)
        if answer.is_success:
            return answer.json() if answer.content else None
        raise problem_of(answer)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except httpx2.HTTPError as error:
            raise CommandError(
                f"{self.url} does not answer: {error}. Is KOURSE_URL right?"
            ) from error


def problem_of(answer: httpx2.Response) -> Problem:
    """What a refusal says, also where it is no problem document."""
    try:
        body = answer.json()
    except ValueError:
        return Problem("unknown", f"{answer.request.url} answered {answer.status_code}")
    code, detail = body.get("code", "unknown"), body.get("detail", str(answer.status_code))
    is_quota = answer.status_code == httpx2.codes.TOO_MANY_REQUESTS
    wait = answer.headers.get("Retry-After", "") if is_quota else ""
    return Problem(code, detail, max(1.0, float(wait)) if wait.isdigit() else None)


def open_session(
    url: str, token: str = "", email: str = "", password_file: Path | None = None
) -> Session:
    """A session with the token given, or with one for the program's secret or the log-in given.

    Raises:
        CommandError: None is given, or the log-in is refused.
    """
    address = url.rstrip("/")
    if token.startswith(PERSONAL_TOKEN) or ":" in token:
        return _logged_in(Session(address, program=token))
    if token:
        return Session(address, token)
    if not email or password_file is None:
        raise CommandError(
            "Say who you are: set KOURSE_TOKEN, or give --email and --password-file "
            "(KOURSE_EMAIL, KOURSE_PASSWORD_FILE)."
        )
    if not password_file.is_file():
        raise CommandError(f"There is no password file {os.fspath(password_file)!r}.")
    password = password_file.read_text(encoding="utf-8").strip()
    return _logged_in(Session(address, login={"email": email, "password": password}))


def _logged_in(session: Session) -> Session:
    try:
        session.log_in()
    except CommandError:
        session.close()
        raise
    return session
