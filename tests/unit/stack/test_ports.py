"""Choosing ports and keeping them."""

import json
import socket

import pytest

from hack.install.machine import PrerequisiteMissing
from hack.stack import ports
from hack.stack.layout import Layout


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KOURSE_CACHE", str(tmp_path / "cache"))


class TestChoose:
    def test_keeps_what_was_chosen_before(self):
        chosen = ports.choose(["a", "b"], {"a": 7}, range(5, 9), lambda _port: True)
        assert chosen == {"a": 7, "b": 5}

    def test_picks_again_for_a_port_that_somebody_else_has_taken(self):
        chosen = ports.choose(["a"], {"a": 7}, range(5, 9), lambda port: port != 7)
        assert chosen == {"a": 5}

    def test_never_gives_one_port_to_two(self):
        chosen = ports.choose(["a", "b", "c"], {"c": 6}, range(5, 9), lambda _port: True)
        assert len(set(chosen.values())) == 3

    def test_says_what_to_do_when_no_port_is_left(self):
        with pytest.raises(PrerequisiteMissing, match="stop what listens"):
            ports.choose(["a"], {}, range(5, 9), lambda _port: False)


@pytest.mark.usefixtures("cache")
class TestAllocate:
    def test_gives_the_same_ports_again(self, tmp_path):
        layout = Layout(tmp_path / "state")
        layout.directory()
        first = ports.allocate(layout, ["a", "b"], frozenset())
        assert ports.allocate(layout, ["b", "a", "c"], frozenset()).items() >= first.items()

    def test_moves_away_from_a_taken_port_unless_the_stack_itself_listens_there(self, tmp_path):
        layout = Layout(tmp_path / "state")
        layout.directory()
        port = ports.allocate(layout, ["a"], frozenset())["a"]
        with socket.create_server(("127.0.0.1", port)):
            assert ports.allocate(layout, ["a"], frozenset({port}))["a"] == port
            assert ports.allocate(layout, ["a"], frozenset())["a"] != port

    def test_keeps_two_stacks_apart_before_either_listens(self, tmp_path):
        chosen = []
        for name in ("one", "two", "three"):
            layout = Layout(tmp_path / name)
            layout.directory()
            chosen += ports.allocate(layout, ["a", "b"], frozenset()).values()
        assert len(set(chosen)) == 6

    def test_forgets_the_ports_of_a_stack_that_is_down(self, tmp_path):
        layout = Layout(tmp_path / "state")
        layout.directory()
        ports.allocate(layout, ["a"], frozenset())
        ports.release(layout)
        assert not layout.ports_file.exists()

    def test_stays_below_the_ports_of_outgoing_connections(self, tmp_path):
        layout = Layout(tmp_path / "state")
        layout.directory()
        chosen = ports.allocate(layout, ["a", "b", "c"], frozenset())
        assert json.loads(layout.ports_file.read_text()) == chosen
        assert all(20000 <= port < 32000 for port in chosen.values())
