"""A part that is killed comes back by itself, and nothing that was acknowledged is lost."""

import os
import signal
from uuid import uuid4

import httpx2
import pytest

from hack.smoke.person import eventually
from hack.stack.layout import Layout
from hack.stack.record import Phase, read_record

PATIENCE_S = 240
CALM = 5
"""Successes in a row after which the platform counts as recovered."""
CREATED, UNAVAILABLE = 201, 503
PARTS = ("postgres", "rabbitmq", "redis-cache", "redis-tokens", "minio", "profile", "gateway")


def entry(state, part):
    record = read_record(Layout(state).record_file)
    assert record is not None
    return record.entries[part]


def kill(state, part):
    """Kills the process as a crash would; returns how often it had been restarted before."""
    found = entry(state, part)
    os.kill(found.pid, signal.SIGKILL)
    return found.restarts


def is_back(state, part, restarts):
    found = entry(state, part)
    return found.restarts > restarts and found.phase is Phase.READY


def log_in(person):
    """Logs in as soon as identity is back from the outage before."""
    body = {"email": person.email, "password": person.password}

    def look():
        answer = person.call("POST", "/v1/auth/login", json=body, expect=(200, 502, 503, 504))
        return answer.get("accessToken")

    person.token = eventually("a log-in", look, PATIENCE_S, pause_s=0.3)


class Writer:
    """Sets goals one after another and remembers what it was told."""

    def __init__(self, person):
        self.person = person
        self.acknowledged = set()
        self.answers = []
        self.calm = 0

    def write(self):
        """Sets one goal; returns how many were set in a row."""
        title = f"Goal {uuid4()}"
        headers = {
            "Authorization": f"Bearer {self.person.token}",
            "Idempotency-Key": str(uuid4()),
        }
        address = f"{self.person.url}/v1/profile/goals"
        try:
            answer = self.person.http.post(address, json={"title": title}, headers=headers)
        except httpx2.TransportError:
            self.calm = 0
            return 0
        self.answers.append(answer)
        self.calm = self.calm + 1 if answer.status_code == CREATED else 0
        if answer.status_code == CREATED:
            self.acknowledged.add(title)
        return self.calm


class TestKilledPart:
    @pytest.mark.parametrize("part", PARTS)
    def test_comes_back_and_no_acknowledged_write_is_lost(self, state, learner, part):
        log_in(learner)
        eventually("a learner without goals", lambda: has_none(learner), PATIENCE_S)
        writer = Writer(learner)
        restarts = kill(state, part)

        def look():
            # Some parts are not missed by writes, and a learner has room for so many goals only.
            if writer.calm < CALM:
                writer.write()
            return is_back(state, part, restarts)

        eventually(f"the return of {part}", look, PATIENCE_S, pause_s=0.3)
        writer.calm = 0
        eventually(
            f"calm after the loss of {part}",
            lambda: writer.write() >= CALM,
            PATIENCE_S,
            pause_s=0.3,
        )

        assert {answer.status_code for answer in writer.answers} <= {CREATED, 502, 503, 504}
        outages = [answer for answer in writer.answers if answer.status_code == UNAVAILABLE]
        assert all("retry-after" in answer.headers for answer in outages)
        stored = [goal["title"] for goal in every_goal(learner)]
        assert len(stored) == len(set(stored))
        assert writer.acknowledged <= set(stored)


def has_none(learner):
    """Takes the goals of the outage before away; whether none is left."""
    kept = every_goal(learner)
    for goal in kept:
        address = f"/v1/profile/goals/{goal['id']}"
        learner.call("DELETE", address, expect=(204, 404))
    return not kept


def every_goal(learner):
    """All goals, page after page."""
    found, after = [], ""
    while True:
        page = learner.get(f"/v1/profile/goals?limit=100{after}")
        found += page["items"]
        if not page["next"]:
            return found
        after = f"&after={page['next']}"


class TestBrokerDown:
    def test_delays_notifications_but_loses_none(self, state, learner, target, teacher):
        log_in(teacher)
        log_in(learner)
        code = teacher.get("/v1/cohorts/lisbon-2027/code")["code"]
        restarts = kill(state, "rabbitmq")

        learner.call("POST", "/v1/cohorts/join", json={"code": code})

        eventually("RabbitMQ", lambda: is_back(state, "rabbitmq", restarts), PATIENCE_S)
        eventually(
            "the enrolment",
            lambda: [
                one
                for one in learner.get("/v1/enrolments")["items"]
                if one["course"] == "statistics"
            ],
            PATIENCE_S,
        )
        feed = "/v1/notifications?limit=100"
        told = eventually(
            "the notification",
            lambda: [one for one in learner.get(feed)["items"] if one["type"] == "enrolled"],
            PATIENCE_S,
        )
        assert len(told) == 1
