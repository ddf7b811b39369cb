"""Alerts fire when the thing they watch is really broken, and fall silent once it is mended."""

import json
import os
import signal
import subprocess
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx2
import pytest

from hack.observability import rules
from hack.smoke.person import Person, eventually
from hack.smoke.target import Target
from hack.stack.cluster import kubectl
from hack.stack.layout import Layout
from hack.stack.lifecycle import stop
from hack.stack.record import read_record
from hack.stack.sample import bring_up
from hack.stack.site import Site, program
from support.redis_server import free_port
from support.waiting import LONG_S

FACTOR = 600
"""How much faster the rules run than they do for people: an hour is six seconds."""
LATE_EXAM = """
apiVersion: kourse.dev/v1alpha1
kind: ExamConfig
metadata: {name: without-its-pool}
spec:
  title: An exam whose questions nobody declared
  courseRef: statistics
  purpose: Quiz
  category: quizzes
  dates: {opens: {at: "2026-01-01T09:00:00"}}
  zones: [{key: all, title: All, draws: [{pools: [nobody-declared-it], count: 1}]}]
"""


class Watch:
    """A Prometheus of the test's own: the stack's targets every two seconds, and hastened rules."""

    def __init__(self, site, directory):
        address = f"127.0.0.1:{free_port()}"
        (directory / "rules.yaml").write_text(json.dumps(rules.hastened(FACTOR)))
        config = json.loads(site.layout.config("prometheus.json").read_text())
        config["global"] = dict.fromkeys(
            ("scrape_interval", "scrape_timeout", "evaluation_interval"), "2s"
        )
        config["rule_files"] = [str(directory / "rules.yaml")]
        (directory / "prometheus.json").write_text(json.dumps(config))
        self.flags = {
            "config.file": directory / "prometheus.json",
            "storage.tsdb.path": directory / "store",
            "web.listen-address": address,
            "log.level": "warn",
        }
        self.http = httpx2.Client(base_url=f"http://{address}/api/v1", timeout=30)

    @contextmanager
    def running(self):
        argv = [program("prometheus"), *(f"--{key}={value}" for key, value in self.flags.items())]
        process = subprocess.Popen([str(word) for word in argv])
        try:
            with closing(self.http):
                yield self
        finally:
            process.terminate()
            process.wait()

    def firing(self, name, **labels):
        """The alerts of that name that fire now and carry these labels."""
        return [
            one
            for one in self.ask("alerts").get("alerts", [])
            if (one["state"], one["labels"]["alertname"]) == ("firing", name)
            and labels.items() <= one["labels"].items()
        ]

    def sees(self, query):
        return self.ask("query", query=query).get("result", [])

    def ask(self, path, **params):
        """The answer's data; nothing while Prometheus is starting."""
        try:
            answer = self.http.get(f"/{path}", params=params)
        except httpx2.TransportError:
            return {}
        return answer.json()["data"] if answer.is_success else {}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A stack of this module's own, since what others test must not be broken."""
    kept = os.environ.get("KOURSE_TEST_STATE")
    state = Path(kept) / "alerts" if kept else tmp_path_factory.mktemp("alerts")
    try:
        bring_up(state)
        yield Site.load(Layout(state))
    finally:
        if not kept:
            stop(state)


@pytest.fixture(scope="module")
def watch(site, tmp_path_factory):
    """It has seen everything well for as long as the longest window that asks for the past."""
    with Watch(site, tmp_path_factory.mktemp("watch")).running() as watch:
        past = "kourse_build_info{service='course'} offset 8s"
        eventually("figures of the past", lambda: watch.sees(past), LONG_S)
        yield watch


@contextmanager
def frozen(site, *parts):
    """Stops processes where they are, which their supervisor does not see; they go on at the end."""
    record = read_record(site.layout.record_file)
    with ExitStack() as thaw:
        for part in parts:
            pid = record.entries[part].pid
            os.kill(pid, signal.SIGSTOP)
            thaw.callback(os.kill, pid, signal.SIGCONT)
        yield


@contextmanager
def asking_for_courses(site):
    """A teacher asks for what only course can answer; each look asks once more."""
    target = Target.of_state(site.layout.root)
    with closing(Person(target.url, target.teacher_email, target.teacher_password)) as person:
        person.log_in()
        headers = {"Authorization": f"Bearer {person.token}"}
        yield lambda: person.http.get(f"{target.url}/v1/enrolments", headers=headers)


def fires(watch, name, meanwhile=lambda: None, **labels):
    def look():
        meanwhile()
        return watch.firing(name, **labels)

    return eventually(f"{name} with {labels}", look, LONG_S)


def is_over(watch, name, **labels):
    return eventually(f"the end of {name}", lambda: not watch.firing(name, **labels), LONG_S)


class TestFrozenCourse:
    def test_is_told_of_by_what_cannot_reach_it_and_no_longer_once_it_goes_on(self, site, watch):
        with asking_for_courses(site) as ask, frozen(site, "course"):
            fires(watch, "KourseCircuitOpen", ask, upstream="course", severity="critical")
            fires(watch, "KourseAvailabilityBurnFast", ask, severity="critical")
            fires(watch, "KourseServiceDown", job="course", severity="critical")
        is_over(watch, "KourseServiceDown", job="course")


class TestFrozenOperator:
    def test_leads_no_more_until_it_goes_on(self, site, watch):
        with frozen(site, "operator"):
            fires(watch, "KourseServiceDown", job="operator")
            fires(watch, "KourseOperatorWithoutLeader", severity="critical")
            fires(watch, "KourseServiceAbsent", service="operator")
        is_over(watch, "KourseOperatorWithoutLeader")


class TestFrozenCache:
    def test_is_missed_by_the_services_that_need_it_until_it_goes_on(self, site, watch):
        with frozen(site, "redis-cache"):
            fires(watch, "KourseBackEndDown", component="cache", severity="critical")
        is_over(watch, "KourseBackEndDown", component="cache")


class TestExamWithoutItsPool:
    def test_is_late_and_not_ready_until_it_is_withdrawn(self, site, watch):
        kubectl(site.layout, "apply", "-n", "demo", "-f", "-", text=LATE_EXAM)
        try:
            fires(watch, "KourseExamLate", namespace="demo", severity="critical")
            fires(watch, "KourseResourceNotReady", kind="ExamConfig", namespace="demo")
        finally:
            kubectl(site.layout, "delete", "-n", "demo", "examconfig", "without-its-pool")
        is_over(watch, "KourseExamLate", namespace="demo")
