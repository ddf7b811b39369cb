"""The product's limits, too long for a machine that is slow or stood still for a moment to reach them."""

import pytest

from kourse.assessment.service import enrolments
from kourse.gateway import description, upstreams
from kourse.kit import bus, db, relay_link
from kourse.kit.amqp import channel
from kourse.kit.auth import keys, service_tokens
from kourse.kit.http import health
from kourse.kit.rpc import client
from kourse.kit.runtime import runtime
from kourse.kit.telemetry import zipkin

LIMIT_S = 120
LIMITS = (
    (enrolments, "DEADLINE_S"),
    (description, "FETCH_TIMEOUT_S"),
    (upstreams, "CONNECT_TIMEOUT_S"),
    (bus, "CONNECT_TIMEOUT_S"),
    (bus, "CONFIRM_TIMEOUT_S"),
    (relay_link, "CONFIRM_TIMEOUT_S"),
    (db, "CONNECT_TIMEOUT_S"),
    (db, "POOL_WAIT_S"),
    (db, "LOCK_WAIT_S"),
    (channel, "ANSWER_TIMEOUT_S"),
    (keys, "FETCH_TIMEOUT_S"),
    (service_tokens, "TIMEOUT_S"),
    (health, "PROBE_TIMEOUT_S"),
    (client, "DEADLINE_S"),
    (runtime, "REDIS_TIMEOUT_S"),
    (runtime, "REDIS_QUEUE_S"),
    (zipkin, "TIMEOUT_S"),
)
"""Time-outs for others that do not answer; a test about one of them sets it itself."""


@pytest.fixture(scope="session", autouse=True)
def _patient():
    """Services in the tests' own process wait long for each other and for the servers."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in LIMITS:
            assert hasattr(module, name), name
            patch.setattr(module, name, LIMIT_S)
        yield
