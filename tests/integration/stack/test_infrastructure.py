"""The real servers below our own processes, in a directory that only root may enter."""

import json
import os
import signal
import smtplib
import subprocess
import urllib.parse
import urllib.request
from email.message import EmailMessage

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from hack.stack.cluster import KUBECTL
from hack.stack.database import ensure_database
from hack.stack.layout import Layout
from hack.stack.leftovers import find_leftovers
from hack.stack.lifecycle import ensure, stop
from hack.stack.process import read_plan
from hack.stack.record import read_record
from support.waiting import eventually


@pytest.fixture(scope="module")
def infra(tmp_path_factory):
    state = tmp_path_factory.mktemp("infra") / "state"
    layout = Layout(state)
    endpoints = ensure(state)
    assert state.stat().st_mode & 0o077 == 0
    programs = {path for row in read_plan(layout.plan_file).processes for path in row.programs}
    yield endpoints
    stop(state)
    assert find_leftovers(layout.identity(), state / "data", programs) == []


def entry(infra, name):
    return read_record(Layout(infra.state_dir).record_file).entries[name]


def kill(infra, name):
    """SIGKILL a server and wait until the supervisor has another one serving."""
    before = entry(infra, name)
    os.kill(before.pid, signal.SIGKILL)
    eventually(lambda: entry(infra, name).restarts > before.restarts)
    eventually(lambda: entry(infra, name).phase == "ready")


def psycopg_url(url):
    return url.replace("postgresql+psycopg", "postgresql")


def kubectl(kubeconfig, *arguments):
    command = [KUBECTL, "--kubeconfig", str(kubeconfig), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


class TestAgain:
    def test_restarts_nothing(self, infra):
        record = read_record(Layout(infra.state_dir).record_file)
        before = {name: row.pid for name, row in record.entries.items()}
        assert ensure(infra.state_dir) == infra
        record = read_record(Layout(infra.state_dir).record_file)
        assert {name: row.pid for name, row in record.entries.items()} == before


class TestPostgres:
    def test_gives_every_role_its_log_in_and_no_power(self, infra):
        for role, url in infra.database_urls.items():
            with psycopg.connect(psycopg_url(url)) as connection:
                row = connection.execute(
                    "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
                    " FROM pg_roles WHERE rolname = current_user"
                ).fetchone()
            assert row == (role, False, False, False, False)

    def test_lets_only_the_migration_role_make_schemas(self, infra):
        with (
            psycopg.connect(psycopg_url(infra.database_urls["kourse_course"])) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("CREATE SCHEMA mine")
        with psycopg.connect(psycopg_url(infra.database_urls["kourse_migrate"])) as connection:
            connection.execute("CREATE SCHEMA mine")
            connection.rollback()

    def test_keeps_what_was_committed_when_it_is_killed(self, infra):
        url = infra.superuser_url.rpartition("/")[0] + "/durable"
        with psycopg.connect(infra.superuser_url, autocommit=True) as connection:
            ensure_database(connection, "durable")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE t AS SELECT 7 AS seven")
        kill(infra, "postgres")
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT seven FROM t").fetchone() == (7,)


class TestRedis:
    def test_for_tokens_keeps_what_it_acknowledged_when_it_is_killed(self, infra):
        with redis.Redis.from_url(infra.token_store_url) as client:
            assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
            client.set("family", "revoked")
        kill(infra, "redis-tokens")
        with redis.Redis.from_url(infra.token_store_url) as client:
            assert client.get("family") == b"revoked"

    def test_for_caching_drops_the_least_used_and_keeps_nothing(self, infra):
        with redis.Redis.from_url(infra.cache_url) as client:
            assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "allkeys-lru"
            assert client.config_get("appendonly")["appendonly"] == "no"

    def test_lets_nobody_in_without_the_password(self, infra):
        port = urllib.parse.urlsplit(infra.token_store_url).port
        once = Retry(NoBackoff(), 0)
        with (
            redis.Redis(port=port, retry=once) as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.get("family")


class TestRabbitMQ:
    def test_is_administered_over_http_and_survives_being_killed(self, infra):
        kill(infra, "rabbitmq")
        manager = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        manager.add_password(
            None, infra.broker_management_url, infra.broker_user, infra.broker_password
        )
        opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(manager))
        with opener.open(f"{infra.broker_management_url}/api/vhosts") as answer:
            assert [vhost["name"] for vhost in json.load(answer)] == ["kourse"]


class TestKubernetes:
    @pytest.mark.parametrize(
        ("verb", "resource", "allowed"),
        [
            ("list", "namespaces", "no"),
            ("get", "secrets", "no"),
            ("delete", "courses.kourse.dev", "no"),
            ("create", "courses.kourse.dev", "no"),
            ("update", "courses.kourse.dev/finalizers", "no"),
            ("patch", "courses.kourse.dev/status", "yes"),
            ("watch", "examconfigs.kourse.dev", "yes"),
            ("create", "events", "yes"),
            ("delete", "events", "no"),
            ("get", "leases.coordination.k8s.io", "no"),
        ],
    )
    def test_gives_the_operator_what_it_needs_and_nothing_else(
        self, infra, verb, resource, allowed
    ):
        kind, _, part = resource.partition("/")
        question = [verb, kind, f"--subresource={part}", "-n", "demo"]
        asked = kubectl(infra.operator_kubeconfig, "auth", "can-i", *question)
        assert asked.stdout.strip() == allowed

    def test_serves_our_kinds_and_has_the_namespace_of_the_samples(self, infra):
        found = kubectl(infra.kubeconfig, "get", "courses,pools,exams,cohorts", "-n", "demo")
        assert found.returncode == 0, found.stderr
        found = kubectl(infra.kubeconfig, "get", "namespace", infra.namespace)
        assert found.returncode == 0, found.stderr


class TestMailSink:
    def test_lists_what_was_sent_to_an_address_even_after_being_killed(self, infra):
        message = EmailMessage()
        message["From"], message["To"] = "kourse@example.org", "ana@example.org"
        message["Subject"] = "Welcome"
        message.set_content("Hello Ana")
        with smtplib.SMTP(infra.smtp_host, infra.smtp_port) as client:
            client.send_message(message)
        kill(infra, "mail")
        with urllib.request.urlopen(f"{infra.mail_url}?to=ana@example.org") as answer:
            (mail,) = json.load(answer)
        assert (mail["subject"], mail["text"].strip()) == ("Welcome", "Hello Ana")


class TestMinio:
    def test_serves_and_gives_strangers_nothing(self, infra):
        with urllib.request.urlopen(f"{infra.s3_endpoint}/minio/health/live") as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:
            urllib.request.urlopen(infra.s3_endpoint)
        refused.value.close()
