"""A disturbed stack: our processes talk to each other through proxies, the servers listen as ever."""

import json

import pytest

from hack.chaos.storm import KILLS
from hack.stack.layout import Layout
from hack.stack.profiles import PORTS, Profile, make_plan
from hack.stack.site import Site
from hack.stack.toxiproxy import PROXIED


@pytest.fixture
def plans(tmp_path):
    """The environments of all processes, by profile."""
    layout = Layout(tmp_path / "state")
    site = Site(layout, {name: 20000 + number for number, name in enumerate(PORTS)})
    return site, {
        profile: {row.name: row for row in make_plan(site, profile).processes}
        for profile in (Profile.FULL, Profile.CHAOS)
    }


def told(process):
    return " ".join(process.env.values())


class TestChaosProfile:
    def test_lets_services_reach_everything_through_proxies(self, plans):
        site, rows = plans
        for name in ("postgres", "rabbitmq", "redis-tokens", "redis-cache", "identity-rpc"):
            course = rows[Profile.CHAOS]["course"]
            assert f":{site.ports[f'{name}-proxy']}" in told(course)
            assert f":{site.ports[name]}" not in told(course)

    def test_loses_every_process_but_the_proxy_and_the_map_of_the_brokers_ports(self, plans):
        _, rows = plans
        lasting = {name for name, row in rows[Profile.CHAOS].items() if not row.once}
        assert lasting - {"toxiproxy", "epmd"} == set(KILLS)

    def test_lets_the_gateway_reach_services_through_proxies(self, plans):
        site, rows = plans
        upstreams = json.loads(rows[Profile.CHAOS]["gateway"].env["KOURSE_GATEWAY_UPSTREAMS"])
        assert upstreams["course"].endswith(f":{site.ports['course-proxy']}")

    def test_leaves_the_servers_where_they_listen(self, plans):
        _, rows = plans
        for name in ("postgres", "rabbitmq", "redis-tokens", "redis-cache", "mail"):
            assert rows[Profile.CHAOS][name].digest == rows[Profile.FULL][name].digest

    def test_has_a_proxy_before_each_part(self, plans):
        site, rows = plans
        assert rows[Profile.CHAOS]["toxiproxy"].ports == site.numbers(
            "toxiproxy", *(f"{name}-proxy" for name in PROXIED)
        )


class TestFullProfile:
    def test_has_no_proxies(self, plans):
        site, rows = plans
        assert "toxiproxy" not in rows[Profile.FULL]
        assert f":{site.ports['postgres']}/" in told(rows[Profile.FULL]["course"])
