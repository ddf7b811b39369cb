"""Programs at the gateway: a pipeline that plans, and a person's own script."""

import os
import secrets
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from hack.smoke.person import Person
from kourse.cli.session import Problem, Session, open_session

SAMPLES = Path(__file__).parents[2] / "manifests" / "samples"


def kourse(*arguments, **environment):
    """What the command line answers, with these variables beside the usual ones."""
    command = [sys.executable, "-m", "kourse.cli", *arguments]
    usual = {name: value for name, value in os.environ.items() if not name.startswith("KOURSE_")}
    return subprocess.run(
        command, env=usual | environment, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def administrator(target, state):
    password = (state / "secrets" / "admin-password").read_text().strip()
    with closing(Person(target.url, "admin@kourse.example", password)) as person:
        person.log_in()
        yield person


@pytest.fixture(scope="module")
def pipeline(administrator):
    """`KOURSE_TOKEN` of a service account that plans."""
    wish = {"name": f"pipeline-{secrets.token_hex(4)}", "roles": [{"role": "planner"}]}
    account = administrator.call("POST", "/v1/service-accounts", json=wish)
    path = f"/v1/service-accounts/{account['id']}"
    made = administrator.call("POST", f"{path}/secrets", json={"lifetimeDays": 1})
    yield f"{made['clientId']}:{made['clientSecret']}"
    administrator.call("DELETE", path)


class TestPipeline:
    def test_plans_with_the_secret_of_a_service_account(self, target, pipeline):
        answer = kourse("plan", "-f", str(SAMPLES), KOURSE_URL=target.url, KOURSE_TOKEN=pipeline)

        assert answer.returncode in {0, 2}, answer.stderr
        assert "Plan for demo:" in answer.stdout

    def test_does_nothing_but_plan(self, target, pipeline):
        with closing(open_session(target.url, pipeline)) as session:
            for path in ("/v1/memberships", "/v1/courses", "/v1/account"):
                with pytest.raises(Problem) as refused:
                    session.get(path)
                assert refused.value.code == "forbidden"

    def test_is_told_when_its_secret_opens_nothing(self, target, pipeline):
        wrong = pipeline[:-1] + ("0" if pipeline[-1] != "0" else "1")

        answer = kourse("plan", "-f", str(SAMPLES), KOURSE_URL=target.url, KOURSE_TOKEN=wrong)

        assert answer.returncode == 1
        assert pipeline.partition(":")[2][:20] not in answer.stdout + answer.stderr


class TestScript:
    def test_reads_what_its_token_names_for_its_holder(self, target, learner):
        wish = {"name": "reader", "permissions": ["catalogue:read"], "lifetimeDays": 1}
        body = {**wish, "password": learner.password}
        made = learner.call("POST", "/v1/account/tokens", json=body)

        with closing(open_session(target.url, made["token"])) as session:
            assert session.get("/v1/courses")["items"]
            with pytest.raises(Problem) as refused:
                session.get("/v1/dashboard")
            assert refused.value.code == "forbidden"
            learner.call("DELETE", f"/v1/account/tokens/{made['details']['id']}")
            with pytest.raises(Problem):
                session.get("/v1/courses")

    def test_gets_in_by_no_secret_itself(self, target, learner):
        wish = {"name": "reader", "permissions": ["catalogue:read"], "lifetimeDays": 1}
        body = {**wish, "password": learner.password}
        made = learner.call("POST", "/v1/account/tokens", json=body)

        with closing(Session(target.url, made["token"])) as session:
            with pytest.raises(Problem) as refused:
                session.get("/v1/courses")
            assert refused.value.code == "unauthenticated"
