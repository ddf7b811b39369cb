"""The servers that integration tests use: one stack for the whole run, whatever the number of workers.

It comes up when the first test asks for it and goes down with the run. ``KOURSE_TEST_STATE=<directory>``
keeps it up between runs there; ``python -m hack.stack clean`` with ``KOURSE_STATE=<directory>/infra``
takes it down.
"""

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from support.servers import Servers

_STATE = "KOURSE_TEST_INFRA"
_KEPT = "KOURSE_TEST_STATE"
_MADE = pytest.StashKey[Path]()


# How long an example takes, benches tell. A change is judged by the same examples each time; `make soak`
# looks for others.
settings.register_profile("kourse", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("kourse")


def pytest_configure(config):
    _log_plainly()
    if hasattr(config, "workerinput"):
        return
    # Ended by a signal, as by `timeout`, the run still takes its servers down.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if kept := os.environ.get(_KEPT):
        os.environ[_STATE] = str(Path(kept) / "infra")
    else:
        config.stash[_MADE] = Path(tempfile.mkdtemp(prefix="kourse-tests-"))
        os.environ[_STATE] = str(config.stash[_MADE])


def pytest_unconfigure(config):
    state = config.stash.get(_MADE, None)
    if state is None:
        return
    if any(state.iterdir()):
        from hack.stack.lifecycle import stop

        stop(state)
    shutil.rmtree(state, ignore_errors=True)


def _log_plainly():
    """Tracebacks as text: drawing them with every variable takes seconds."""
    plain = [structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()]
    structlog.configure(processors=plain)


@pytest.fixture(scope="session")
def servers():
    """The stack's infrastructure: PostgreSQL, RabbitMQ, Redis, S3, mail, Kubernetes API."""
    return Servers.up(Path(os.environ[_STATE]))


@pytest.fixture(scope="module")
def scratch(servers):
    """A database of this module's own, with every service's migrations applied."""
    with servers.scratch_database() as database:
        yield database


@pytest.fixture(scope="module")
def bare(servers):
    """An empty database of this module's own."""
    with servers.scratch_database(migrated=False) as database:
        yield database


@pytest.fixture(scope="module")
def broker_url(servers):
    """A virtual host of this module's own at the broker."""
    with servers.scratch_host() as url:
        yield url
