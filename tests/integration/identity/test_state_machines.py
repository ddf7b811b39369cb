"""Whatever is done in whatever order: refresh families and lockouts against a model, in the real store."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from redis.asyncio import Redis

from kourse.identity.domain.lockout import LockoutPolicy
from kourse.identity.repository import lockouts
from kourse.identity.repository.families import Families, Outcome
from kourse.identity.repository.lockouts import Lockouts

CLIENTS = st.sampled_from(["browser", "telephone"])
EXAMPLES = settings(max_examples=40, stateful_step_count=30)
LONG = timedelta(hours=1)


class Machine(RuleBasedStateMachine):
    """Steps on the token store of the run, in an event loop of the example's own."""

    url = ""

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.redis = Redis.from_url(self.url)

    def run(self, step):
        return self.loop.run_until_complete(step)

    def teardown(self):
        self.run(self.redis.aclose())
        self.loop.close()


class RefreshFamily(Machine):
    """A token is good once; who comes back with a spent one gets the lost answer, or ends the family."""

    grace = LONG
    tokens = Bundle("tokens")

    def __init__(self):
        super().__init__()
        self.families = Families(
            self.redis, idle=LONG, lifetime=LONG, grace=self.grace, access_lifetime=LONG
        )
        self.user = uuid4()
        self.alive = {}
        """By session: the good token, the one before it, and the client that had the former."""
        self.session_of = {}

    @rule(target=tokens, client=CLIENTS)
    def log_in(self, client):
        session, token = self.run(self.families.open(self.user, "demo", client))
        self.alive[session.id] = (token, None, None)
        self.session_of[token] = session.id
        return token

    @rule(target=tokens, token=tokens, client=CLIENTS)
    def refresh(self, token, client):
        session = self.session_of[token]
        current, previous, holder = self.alive.get(session, (None, None, None))
        rotation = self.run(self.families.rotate(token, client))
        if current is None:
            assert (rotation.outcome, rotation.token) == (Outcome.UNKNOWN, "")
        elif token == current:
            assert rotation.outcome is Outcome.ROTATED
            assert rotation.token not in self.session_of
            self.session_of[rotation.token] = session
            self.alive[session] = (rotation.token, token, client)
            return rotation.token
        elif token == previous and client == holder and self.grace:
            assert (rotation.outcome, rotation.token) == (Outcome.REPEATED, current)
        else:
            assert (rotation.outcome, rotation.token) == (Outcome.STOLEN, "")
            self.is_denied(session)
            del self.alive[session]
        return multiple()

    @rule(token=tokens)
    def log_out(self, token):
        session = self.session_of[token]
        self.run(self.families.end(session))
        self.alive.pop(session, None)
        self.is_denied(session)

    @rule(token=tokens)
    def log_out_elsewhere(self, token):
        here = self.session_of[token]
        self.run(self.families.end_all(self.user, but=here))
        self.alive = {one: state for one, state in self.alive.items() if one == here}

    def is_denied(self, session):
        assert self.run(self.redis.exists(f"deny:sid:{session}")) == 1

    @invariant()
    def open_sessions_are_those_that_a_refresh_would_continue(self):
        listed = self.run(self.families.list_open(self.user))
        assert {one.id for one in listed} == set(self.alive)

    @invariant()
    def every_token_leads_to_its_living_session_alone(self):
        for token, session in self.session_of.items():
            found = self.run(self.families.find(token))
            assert (found.id if found else None) == (session if session in self.alive else None)


class StrictRefreshFamily(RefreshFamily):
    """Without a grace every second use ends the family."""

    grace = timedelta(0)


class Lockout(Machine):
    """Failures add up to a lock as the policy says, however many checks run at a time."""

    policy = LockoutPolicy(failure_factor=3, quick_check=timedelta(0), wait_increment=LONG * 100)
    slots = Bundle("slots")

    def __init__(self):
        super().__init__()
        self.lockouts = Lockouts(self.redis, self.policy)
        self.email = f"{uuid4()}@school.example"
        self.held = set()
        self.count = 0
        self.is_locked = False

    @rule(target=slots)
    def begin(self):
        slot = self.run(self.lockouts.reserve(self.email))
        room = self.policy.failure_factor - self.count % self.policy.failure_factor
        assert (slot is not None) == (not self.is_locked and len(self.held) < room)
        if slot is None:
            return multiple()
        self.held.add(slot)
        return slot

    @rule(slot=consumes(slots), ending=st.sampled_from(["right", "wrong", "wrong", "dropped"]))
    def end(self, slot, ending):
        wait = self.run(self.lockouts.settle(self.email, slot, ending))
        self.held.discard(slot)
        expected = timedelta(0)
        if ending == "right":
            self.count, self.is_locked = 0, False
        elif ending == "wrong" and not self.is_locked:
            self.count += 1
            expected = self.policy.wait(self.count, LONG)
            self.is_locked = expected > timedelta(0)
        assert wait == expected

    @rule()
    def unlock(self):
        self.run(self.lockouts.forget(self.email))
        self.count, self.is_locked = 0, False

    @invariant()
    def stands_as_the_model_does(self):
        count, until = self.run(self.lockouts.standing(self.email))
        assert (count, until is not None) == (self.count, self.is_locked)

    @invariant()
    def no_more_checks_run_than_failures_are_left(self):
        assert self.count <= self.policy.failure_factor


@pytest.mark.parametrize("machine", [RefreshFamily, StrictRefreshFamily, Lockout])
def test_agrees_with_its_model(machine, servers, monkeypatch):
    monkeypatch.setattr(Machine, "url", servers.endpoints.token_store_url)
    monkeypatch.setattr(lockouts, "SLOT", LONG)
    run_state_machine_as_test(machine, settings=EXAMPLES)
