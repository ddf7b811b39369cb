"""A state directory of its own for every test, whose processes are gone afterwards."""

import sys
from pathlib import Path

import pytest

from hack.stack.handover import read_record
from hack.stack.layout import Layout
from hack.stack.lifecycle import carry_out, down
from hack.stack.process import Plan, Probe, ProbeKind, Process

SERVER = Path(__file__).with_name("tiny_server.py")


class SmallStack:
    """A stack of tiny servers instead of real ones: quick to start, the same supervisor."""

    def __init__(self, root, first_port):
        self.layout = Layout(root)
        self.layout.directory()
        self.first_port = first_port
        self.told = []

    def server(self, name, number, *needs, **values):
        """A row that serves HTTP once its needs are ready."""
        port = self.first_port + number
        row = {
            "argv": (sys.executable, str(SERVER), str(port)),
            "env": {"PATH": "/usr/bin:/bin"},
            "cwd": str(self.layout.data(name)),
            "probe": Probe(ProbeKind.HTTP, port),
            "ports": (port,),
        }
        return Process(name=name, needs=needs, **{**row, **values})

    def task(self, name, script, *needs):
        """A row that runs a shell script until it succeeds once."""
        return Process(
            name=name,
            argv=("/bin/sh", "-c", script),
            env={"PATH": "/usr/bin:/bin"},
            cwd=str(self.layout.data(name)),
            needs=needs,
            once=True,
        )

    def run(self, *rows):
        """Carry out the rows; returns the record when all of them serve."""
        self.told.clear()
        plan = Plan(self.layout.identity(), rows)
        carry_out(self.layout, plan, lambda name, _text: self.told.append(name))
        return self.record

    @property
    def record(self):
        return read_record(self.layout.record_file)

    def pids(self):
        return {name: entry.pid for name, entry in self.record.entries.items()}


@pytest.fixture
def small_stack(tmp_path, monkeypatch):
    from hack.stack import ports

    monkeypatch.setenv("KOURSE_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "state"
    layout = Layout(root)
    layout.directory()
    first = min(ports.allocate(layout, [str(n) for n in range(8)], frozenset()).values())
    stack = SmallStack(root, first)
    yield stack
    down(stack.layout)
