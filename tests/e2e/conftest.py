"""The whole platform, up once for all stories, in a state of its own."""

import os
import secrets
from contextlib import closing
from pathlib import Path

import pytest

from hack.smoke.person import Mailbox, Person, eventually
from hack.smoke.target import Target
from hack.stack.lifecycle import stop
from hack.stack.sample import bring_up


@pytest.fixture(scope="session")
def where(tmp_path_factory):
    """Where the parts of a full stack are, with the sample course live.

    It goes down with the run, unless ``KOURSE_TEST_STATE`` names a directory to keep it in.
    """
    kept = os.environ.get("KOURSE_TEST_STATE")
    state = Path(kept) / "e2e" if kept else tmp_path_factory.mktemp("stack")
    try:
        yield bring_up(state)
    finally:
        if not kept:
            stop(state)


@pytest.fixture(scope="session")
def state(where):
    """The stack's state directory."""
    return where.state_dir


@pytest.fixture(scope="session")
def target(state):
    return Target.of_state(state)


@pytest.fixture(scope="session")
def mailbox(target):
    with closing(Mailbox(target.mailbox_url)) as mailbox:
        yield mailbox


@pytest.fixture(scope="session")
def teacher(target):
    with closing(Person(target.url, target.teacher_email, target.teacher_password)) as person:
        person.log_in()
        yield person


@pytest.fixture(scope="module")
def learner(target, mailbox):
    """A new person with a verified account, logged in."""
    email = f"learner-{secrets.token_hex(4)}@example.org"
    with closing(Person(target.url, email, secrets.token_urlsafe(18))) as person:
        body = {"email": email, "password": person.password, "displayName": "Rui Teste"}
        person.call("POST", "/v1/auth/register", json=body)
        code = eventually("the code by e-mail", lambda: mailbox.code(email))
        person.call("POST", "/v1/auth/verify-email", json={"email": email, "code": code})
        person.log_in()
        yield person
