"""What the services of a stack are told."""

import json
import re
import stat
import subprocess
from urllib.parse import urlsplit

import pytest

from hack.smoke.target import exports
from hack.stack.applications import (
    CALLS,
    SOURCES,
    applications,
    render_environment,
    runner,
    shared_settings,
)
from hack.stack.endpoints import endpoints
from hack.stack.layout import Layout, write_private
from hack.stack.profiles import PORTS
from hack.stack.shell import shell_variables, write_shell_files
from hack.stack.site import DATABASE_SERVICES, Site
from kourse.contracts import events
from kourse.identity.rpc import RECORDERS


@pytest.fixture
def site(tmp_path):
    layout = Layout(tmp_path / "state")
    layout.directory()
    return Site(layout, {name: 20000 + number for number, name in enumerate(PORTS)})


class TestRenderEnvironment:
    @pytest.mark.parametrize("value", ["plain", "two words", "a'b\"c$d", '{"json": ["x"]}', ""])
    def test_survives_the_shell_as_it_is(self, value):
        text = render_environment({"NAME": value})
        script = f"set -a\n{text}printenv NAME"
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout == f"{value}\n"

    def test_is_in_a_fixed_order(self):
        assert render_environment({"B": "2", "A": "1"}) == "A=1\nB=2\n"


class TestSettings:
    def test_name_the_gateway_as_the_issuer_and_identity_as_the_source_of_keys(self, site):
        settings = shared_settings(site)
        assert settings["KOURSE_TOKEN_ISSUER"] == endpoints(site).gateway_url
        keys = urlsplit(settings["KOURSE_JWKS_URL"])
        assert (keys.port, keys.path) == (site.ports["identity"], "/.well-known/jwks.json")

    def test_name_every_sibling_by_its_own_port(self, site):
        settings = shared_settings(site)
        peers = [settings[f"KOURSE_{name.upper()}_RPC_ADDR"] for name in DATABASE_SERVICES]
        assert len(set(peers)) == len(DATABASE_SERVICES)

    def test_give_every_role_a_password_of_its_own(self, site):
        urls = endpoints(site).database_urls
        assert len({urlsplit(url).password for url in urls.values()}) == len(urls)


class TestCalls:
    def test_are_those_that_services_make_that_fill_gaps_and_that_tell_the_audit_trail(self):
        made = {name: {"identity"} for name in RECORDERS}
        for consumer in events.consumers():
            made.setdefault(consumer, set()).update(events.producers_for(consumer))
        for path in (SOURCES / "kourse").glob("*/**/*.py"):
            caller = path.relative_to(SOURCES / "kourse").parts[0]
            if caller == "kit":
                continue
            for peer in re.findall(r"\brpc\(\"([a-z]+)\"\)", path.read_text()):
                made.setdefault(caller, set()).add(peer)
        assert made == {caller: set(peers) for caller, peers in CALLS.items()}


class TestSecrets:
    def test_are_made_up_once_and_read_by_their_owner_only(self, site):
        first = site.secret("something")
        assert site.secret("something") == first
        assert len(first) >= 24
        mode = site.layout.secret("something").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600

    def test_are_not_printed_with_the_endpoints(self, site):
        shown = repr(endpoints(site))
        names = [path.name for path in (site.layout.root / "secrets").iterdir()]
        assert names
        assert not [name for name in names if site.secret(name) in shown]


class TestRunner:
    """Programs of learners run below it, so there is nothing for them to find."""

    def test_is_told_where_to_listen_and_nothing_else(self, site):
        told = {name for name in runner(site).env if name.startswith("KOURSE_")}
        assert told == {"KOURSE_HOST", "KOURSE_RUNNER_PORT"}

    def test_is_given_no_secret(self, site):
        processes = {row.name: row for row in applications(site)}
        made_up = [path.read_text() for path in (site.layout.root / "secrets").iterdir()]
        assert [text for text in made_up if text in str(processes["assessment"].env)]
        assert not [text for text in made_up if text in str(processes["runner"].env)]

    def test_is_where_assessment_sends_programs(self, site):
        processes = {row.name: row for row in applications(site)}
        address = urlsplit(processes["assessment"].env["KOURSE_ASSESSMENT_JUDGE_URL"])
        assert processes["runner"].ports == (address.port,)


class TestShellFiles:
    def test_hold_what_the_smoke_looks_for(self, site):
        write_shell_files(site)
        found = exports(site.layout.environment_file.read_text())
        assert found.items() >= shell_variables(site).items()

    def test_are_not_written_again_when_nothing_changed(self, tmp_path):
        path = tmp_path / "file"
        write_private(path, json.dumps({"a": 1}))
        before = path.stat().st_ino
        write_private(path, json.dumps({"a": 1}))
        assert path.stat().st_ino == before
