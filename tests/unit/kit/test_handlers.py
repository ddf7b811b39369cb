"""A consumer registers functions only for events that the catalog sends to it."""

import json

import pytest

from hack.gen.messages import example
from kourse.contracts.events import CohortEnded, GroupJoined, UserRegistered
from kourse.kit.delivery import UnknownEventError
from kourse.kit.inbox import Handlers
from kourse.kit.inbox.cursor import Arrival


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

    async def test_pass_over_an_event_of_the_stream_that_they_have_no_function_for(self):
        await Handlers("course").apply(None, [arrival_of(GroupJoined)])

    async def test_refuse_a_planned_event_since_a_newer_build_may_act_on_it(self):
        with pytest.raises(UnknownEventError, match=r"profile\.cohort\.ended"):
            await Handlers("course").apply(None, [arrival_of(CohortEnded)])


def arrival_of(event):
    made = example(event.kind)
    return Arrival.of(made.headers, json.dumps(dict(made.body)).encode())
