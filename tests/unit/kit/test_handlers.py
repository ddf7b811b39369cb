"""A consumer registers functions only for events that the catalog sends to it."""

import pytest

from kourse.contracts.events import GroupJoined, UserRegistered
from kourse.kit.inbox import Handlers


async def nothing(tx, event, delivery):
    pass


class TestHandlers:
    def test_remember_their_types(self):
        handlers = Handlers("course")
        assert handlers.on(GroupJoined)(nothing) is nothing
        assert handlers.types == {"profile.group.joined"}

    def test_refuse_a_second_function_for_an_event(self):
        handlers = Handlers("course")
        handlers.on(GroupJoined)(nothing)
        with pytest.raises(ValueError, match="has a function"):
            handlers.on(GroupJoined)(nothing)

    def test_refuse_an_event_that_the_catalog_does_not_send(self):
        with pytest.raises(ValueError, match="does not send"):
            Handlers("course").on(UserRegistered)(nothing)
