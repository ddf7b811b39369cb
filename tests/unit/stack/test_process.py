"""The table of processes and the plan made of it."""

import dataclasses

import pytest

from hack.stack.process import (
    Plan,
    PlanError,
    Probe,
    ProbeKind,
    Process,
    digest_of,
    read_plan,
    start_levels,
)


def process(name, *needs, **values):
    row = {"argv": ("/bin/true",), "env": {"A": "1"}, "cwd": "/tmp"}
    return Process(name=name, needs=needs, **{**row, **values})


class TestStartLevels:
    def test_puts_a_process_after_everything_it_needs(self):
        rows = [process("api", "db", "bus"), process("bus"), process("db", "disk"), process("disk")]
        assert start_levels(rows) == [["bus", "disk"], ["db"], ["api"]]

    def test_starts_everything_at_once_when_nothing_is_needed(self):
        assert start_levels([process("b"), process("a")]) == [["a", "b"]]

    def test_refuses_a_circle_and_names_who_is_in_it(self):
        rows = [process("a", "b"), process("b", "a"), process("c")]
        with pytest.raises(PlanError, match="circle: a, b"):
            start_levels(rows)

    def test_refuses_a_need_that_nobody_meets(self):
        with pytest.raises(PlanError, match="not planned: ghost"):
            start_levels([process("a", "ghost")])


class TestDigest:
    @pytest.mark.parametrize(
        "change",
        [{"argv": ("/bin/false",)}, {"env": {"A": "2"}}, {"cwd": "/"}, {"inputs": "other"}],
    )
    def test_changes_with_whatever_decides_how_a_process_runs(self, change):
        row = process("a")
        assert dataclasses.replace(row, **change).digest != row.digest

    def test_does_not_change_with_what_only_the_supervisor_looks_at(self):
        row = process("a")
        assert dataclasses.replace(row, needs=("b",), stop_seconds=1.0).digest == row.digest

    def test_of_sources_changes_when_a_file_below_them_does(self, tmp_path):
        file = tmp_path / "package" / "module.py"
        file.parent.mkdir()
        file.write_text("a = 1")
        before = digest_of([tmp_path], (".py",))
        (tmp_path / "notes.txt").write_text("not code")
        assert digest_of([tmp_path], (".py",)) == before
        file.write_text("a = 2")
        assert digest_of([tmp_path], (".py",)) != before


class TestPlan:
    def test_comes_back_from_its_text_as_it_was(self):
        probe = Probe(ProbeKind.REDIS, 1234, password="secret")
        row = process("a", "b", probe=probe, once=True, ports=(1, 2), stale_files=("/x",))
        plan = Plan("id", (row, process("b")), turn=3)
        assert Plan.parse(plan.dump()) == plan

    def test_has_the_revision_of_its_table_whatever_its_turn(self):
        assert Plan("id", (process("a"),), 1).revision == Plan("id", (process("a"),), 2).revision
        assert Plan("id", (process("a"),)).revision != Plan("id", (process("b"),)).revision

    @pytest.mark.parametrize("text", ["", "[]", '{"processes": []}', '{"processes": [{"new": 1}]}'])
    def test_of_another_version_is_passed_over(self, tmp_path, text):
        (tmp_path / "plan.json").write_text(text)
        assert read_plan(tmp_path / "plan.json") is None
        assert read_plan(tmp_path / "missing.json") is None

    def test_shows_no_password_when_a_probe_is_printed(self):
        assert "secret" not in repr(Probe(ProbeKind.REDIS, 1, password="secret"))
