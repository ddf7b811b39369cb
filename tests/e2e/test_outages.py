"""A part that is killed comes back by itself, and nothing that was acknowledged is lost."""

import os
import signal
from time import monotonic
from uuid import uuid4

import pytest

from hack.smoke.person import eventually
from hack.stack.layout import Layout
from hack.stack.record import Phase, read_record

PATIENCE_S = 90
CALM = 10
"""Successes in a row after which the platform counts as recovered."""


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


class TestKilledPart:
    @pytest.mark.parametrize(
        "part",
        ["postgres", "rabbitmq", "redis-cache", "redis-tokens", "minio", "profile", "gateway"],
    )
    def test_comes_back_and_no_acknowledged_write_is_lost(self, state, learner, part):
        acknowledged, answers, calm = {}, [], 0
        restarts = kill(state, part)
        end = monotonic() + PATIENCE_S
        while monotonic() < end and not (calm >= CALM and is_back(state, part, restarts)):
            title, key = f"Goal {uuid4()}", str(uuid4())
            try:
                answer = learner.http.post(
                    f"{learner.url}/v1/profile/goals",
                    json={"title": title},
                    headers={"Authorization": f"Bearer {learner.token}", "Idempotency-Key": key},
                )
            except OSError:
                calm = 0
                continue
            answers.append(answer)
            calm = calm + 1 if answer.status_code == 201 else 0
            if answer.status_code == 201:
                acknowledged[title] = key

        assert calm >= CALM, (
            f"{part} did not recover: {answers[-1].text if answers else 'no answer'}"
        )
        assert {answer.status_code for answer in answers} <= {201, 502, 503, 504}
        assert all(
            "retry-after" in answer.headers for answer in answers if answer.status_code == 503
        )
        stored = [goal["title"] for goal in every_goal(learner)]
        assert len(stored) == len(set(stored))
        assert set(acknowledged) <= set(stored)


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
