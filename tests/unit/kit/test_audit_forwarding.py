"""Denials reach the trail once it is there, and are counted when it never is."""

import pytest

from kourse.contracts.errors import Unavailable
from kourse.kit.audit.denials import Denials
from kourse.kit.audit.forwarding import Forwarder
from kourse.kit.telemetry.metrics import AUDIT_DENIALS


class SomeTrail:
    """A trail that is there when a test says so."""

    def __init__(self):
        self.is_down = False
        self.entries = []

    async def append(self, entries):
        if self.is_down:
            raise Unavailable("The identity service is not available right now.")
        self.entries += entries


@pytest.fixture
def trail():
    return SomeTrail()


@pytest.fixture
def denials():
    denials = Denials("some-service")
    denials.note(tenant="demo", actor="ana", target="GET /v1/x", route="GET /v1/x")
    return denials


def lost():
    return AUDIT_DENIALS.labels("some-service", "dropped")._value.get()


class TestForwarding:
    async def test_tells_again_what_could_not_be_told(self, trail, denials):
        forwarder = Forwarder("some-service", trail, denials, None)
        trail.is_down = True
        with pytest.raises(Unavailable):
            await forwarder.forward()
        trail.is_down = False
        await forwarder.forward()
        await forwarder.forward()
        assert [entry.actor for entry in trail.entries] == ["ana"]

    async def test_tells_what_is_left_at_the_end(self, trail, denials):
        await Forwarder("some-service", trail, denials, None).flush()
        assert [entry.actor for entry in trail.entries] == ["ana"]

    async def test_counts_what_it_cannot_tell_at_the_end(self, trail, denials):
        before = lost()
        trail.is_down = True
        await Forwarder("some-service", trail, denials, None).flush()
        assert lost() == before + 1
