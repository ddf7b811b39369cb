"""The supervisor: starts, restarts, recovers, stops, and touches nothing else."""

import dataclasses
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from hack.stack.handover import StackError
from hack.stack.leftovers import find_leftovers, is_alive, start_ticks
from hack.stack.lifecycle import down
from hack.stack.record import Phase
from support.waiting import eventually


def gone(pid):
    return start_ticks(pid) == 0


def leftovers(stack):
    return find_leftovers(stack.layout.identity(), stack.layout.root / "data", ())


class TestStarting:
    def test_follows_the_needs_and_tells_what_serves(self, small_stack):
        rows = [
            small_stack.server("web", 0, "prepare"),
            small_stack.task("prepare", "sleep 0.3", "base"),
            small_stack.server("base", 1),
        ]
        record = small_stack.run(*rows)
        assert small_stack.told == ["base", "prepare", "web"]
        assert {name: entry.phase for name, entry in record.entries.items()} == {
            "web": Phase.READY,
            "prepare": Phase.DONE,
            "base": Phase.READY,
        }

    def test_leaves_what_runs_alone_when_nothing_changed(self, small_stack):
        rows = [small_stack.server("a", 0), small_stack.task("t", "echo ran")]
        small_stack.run(*rows)
        before = small_stack.pids()
        small_stack.run(*rows)
        assert small_stack.pids() == before
        assert small_stack.told == []
        assert small_stack.layout.log("t").read_text() == "ran\n"

    def test_restarts_only_what_changed_and_stops_what_is_no_longer_wanted(self, small_stack):
        rows = {name: small_stack.server(name, n) for n, name in enumerate("abc")}
        small_stack.run(*rows.values())
        before = small_stack.pids()
        small_stack.run(rows["a"], dataclasses.replace(rows["b"], inputs="new code"))
        after = small_stack.pids()
        assert after["a"] == before["a"]
        assert after["b"] != before["b"]
        assert gone(before["b"])
        assert gone(before["c"])

    def test_follows_a_plan_whose_needs_have_other_names(self, small_stack):
        web = small_stack.server("web", 0, "old")
        small_stack.run(web, small_stack.task("old", "true"))
        before = small_stack.pids()["web"]
        new = small_stack.task("new", "true")
        small_stack.run(dataclasses.replace(web, needs=("new",)), new)
        small_stack.run(dataclasses.replace(web, needs=("new",)), new)
        assert small_stack.pids()["web"] == before

    def test_gives_up_on_what_ends_again_and_again_and_shows_its_last_words(self, small_stack):
        with pytest.raises(StackError, match=r"bad ended .* times .exit code 3.*\n.*no such luck"):
            small_stack.run(small_stack.task("bad", "echo no such luck; exit 3"))

    def test_tries_at_once_again_when_told_to_after_giving_up(self, small_stack, tmp_path):
        row = small_stack.task("late", f"test -e {tmp_path / 'mended'}")
        with pytest.raises(StackError):
            small_stack.run(row)
        (tmp_path / "mended").touch()
        assert small_stack.run(row).settled

    def test_names_a_program_that_is_missing(self, small_stack):
        row = dataclasses.replace(small_stack.server("ghost", 0), argv=("/no/such/program",))
        with pytest.raises(StackError, match="ghost ended"):
            small_stack.run(row)
        assert "/no/such/program" in small_stack.layout.log("supervisor").read_text()


class TestSuddenDeath:
    def test_of_a_child_restarts_it_and_nothing_else(self, small_stack):
        small_stack.run(small_stack.server("a", 0), small_stack.server("b", 1, "a"))
        before = small_stack.pids()
        os.kill(before["a"], signal.SIGKILL)
        eventually(lambda: small_stack.record.entries["a"].restarts == 1)
        eventually(lambda: small_stack.record.settled)
        assert small_stack.pids()["a"] != before["a"]
        assert small_stack.pids()["b"] == before["b"]

    def test_of_a_child_takes_along_what_it_had_started(self, small_stack, tmp_path):
        note = tmp_path / "grandchild"
        row = small_stack.server("a", 0)
        small_stack.run(dataclasses.replace(row, argv=(*row.argv, str(note))))
        grandchild = int(note.read_text())
        os.kill(small_stack.pids()["a"], signal.SIGKILL)
        eventually(lambda: gone(grandchild))

    def test_of_the_supervisor_is_cleared_up_by_the_next_run(self, small_stack):
        rows = [small_stack.server("a", 0), small_stack.task("once", "echo ran")]
        small_stack.run(*rows)
        before = small_stack.pids()["a"]
        os.kill(small_stack.record.supervisor, signal.SIGKILL)
        assert not gone(before)
        small_stack.run(*rows)
        assert gone(before)
        assert small_stack.record.settled
        assert small_stack.layout.log("once").read_text() == "ran\n"

    def test_of_the_supervisor_leaves_nothing_that_down_does_not_find(self, small_stack):
        small_stack.run(small_stack.server("a", 0), small_stack.server("b", 1))
        before = small_stack.pids()
        os.kill(small_stack.record.supervisor, signal.SIGKILL)
        down(small_stack.layout)
        assert all(gone(pid) for pid in before.values())

    def test_at_every_moment_of_starting_is_recovered_from(self, small_stack):
        rows = [small_stack.server(name, n) for n, name in enumerate("abcd")]
        for delay in range(5):
            small_stack.run(rows[delay % 4])
            record = small_stack.record
            os.kill(record.supervisor, signal.SIGHUP)
            os.kill(record.supervisor, signal.SIGKILL)
            eventually(lambda record=record: gone(record.supervisor))
        assert small_stack.run(*rows).settled
        assert len(leftovers(small_stack)) == len(rows)

    def test_of_a_server_that_hides_its_environment_is_cleared_up_too(self, small_stack):
        row = small_stack.server("redis", 0)
        port = str(row.ports[0])
        hidden = dataclasses.replace(
            row,
            argv=("/usr/bin/redis-server", "--port", port, "--bind", "127.0.0.1", "--save", ""),
            probe=None,
        )
        small_stack.run(hidden)
        pid = small_stack.pids()["redis"]
        os.kill(small_stack.record.supervisor, signal.SIGKILL)
        small_stack.run(hidden)
        assert gone(pid)


class TestStopping:
    def test_leaves_nothing_running_and_frees_the_ports(self, small_stack):
        small_stack.run(small_stack.server("a", 0), small_stack.server("b", 1, "a"))
        pids = [*small_stack.pids().values(), small_stack.record.supervisor]
        assert down(small_stack.layout) == 3
        assert all(gone(pid) for pid in pids)
        assert not small_stack.layout.ports_file.exists()
        assert down(small_stack.layout) == 0

    def test_stops_first_what_nobody_needs(self, small_stack):
        small_stack.run(small_stack.server("base", 0), small_stack.server("web", 1, "base"))
        down(small_stack.layout)
        log = small_stack.layout.log("supervisor").read_text()
        assert log.index("web stopped") < log.index("base stopped")

    def test_kills_what_does_not_listen(self, small_stack):
        row = small_stack.server("deaf", 0)
        script = 'trap "" TERM; exec "$@"'
        deaf = dataclasses.replace(
            row, argv=("/bin/sh", "-c", script, "sh", *row.argv), stop_seconds=0.3
        )
        small_stack.run(deaf)
        pid = small_stack.pids()["deaf"]
        down(small_stack.layout)
        assert gone(pid)

    def test_happens_by_itself_when_the_state_directory_is_deleted(self, small_stack):
        record = small_stack.run(small_stack.server("a", 0))
        entry = record.entries["a"]
        shutil.rmtree(small_stack.layout.root)
        eventually(lambda: not is_alive(entry.pid, entry.started))
        eventually(lambda: not is_alive(record.supervisor, record.supervisor_started))

    def test_does_not_touch_a_stranger_that_runs_the_same_program(self, small_stack, tmp_path):
        small_stack.run(small_stack.server("a", 0))
        argv = [*small_stack.server("a", 5).argv]
        with subprocess.Popen(argv, cwd=tmp_path) as stranger:
            os.kill(small_stack.record.supervisor, signal.SIGKILL)
            down(small_stack.layout)
            assert stranger.poll() is None
            stranger.kill()


class TestTask:
    def test_runs_again_only_when_it_changed_or_its_data_are_gone(self, small_stack):
        row = small_stack.task("once", "echo ran")
        log = small_stack.layout.log("once")
        small_stack.run(row)
        down(small_stack.layout)
        small_stack.run(row)
        assert log.read_text() == "ran\n"
        small_stack.run(dataclasses.replace(row, inputs="new"))
        assert log.read_text() == "ran\nran\n"
        down(small_stack.layout)
        shutil.rmtree(Path(small_stack.layout.root) / "data")
        small_stack.run(dataclasses.replace(row, inputs="new"))
        assert log.read_text() == "ran\nran\nran\n"

    def test_is_tried_again_until_it_succeeds(self, small_stack, tmp_path):
        count = tmp_path / "count"
        script = f"echo x >>{count}; test $(wc -l <{count}) -ge 3"
        record = small_stack.run(small_stack.task("shy", script))
        assert record.entries["shy"].restarts == 2
