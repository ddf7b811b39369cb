"""Objects of a namespace at a glance."""

import json
import stat

import pytest
from typer.testing import CliRunner

from kourse.cli.main import app
from kourse.cli.status import row_of, table


def item(name="statistics", *, generation=2, seen=2, ready="True", message="", **more):
    condition = {
        "type": "Ready",
        "status": ready,
        "reason": "Reconciled",
        "message": message,
        "observedGeneration": seen,
    }
    return {
        "kind": "Course",
        "metadata": {"name": name, "generation": generation, **more},
        "status": {"conditions": [condition], "version": 4, "learners": 12},
    }


class TestRow:
    def test_shows_version_and_people_of_what_is_ready(self):
        row = row_of(item())
        assert (row.ready, row.version, row.counts, row.problem) == ("True", 4, "12 learners", "")

    def test_tells_what_keeps_it_from_being_ready(self):
        row = row_of(item(ready="False", message="Files are missing."))
        assert (row.ready, row.problem) == ("False", "Files are missing.")

    def test_does_not_take_the_word_of_an_older_generation(self):
        row = row_of(item(generation=3))
        assert (row.ready, row.problem) == (
            "Unknown",
            "The operator has not seen the last change.",
        )

    def test_says_when_nobody_looked_yet(self):
        bare = {"kind": "Course", "metadata": {"name": "new", "generation": 1}}
        assert row_of(bare).problem == "The operator has not seen it."

    def test_says_that_it_is_paused(self):
        row = row_of(item(annotations={"kourse.dev/paused": "true"}))
        assert row.problem == "Paused."


class TestTable:
    def test_has_columns_and_a_sum(self):
        rows = [row_of(item()), row_of(item("algebra", ready="False", message="No."))]
        assert list(table(rows)) == [
            "OBJECT             READY  VERSION  COUNTS       PROBLEM",
            "Course/statistics  True   4        12 learners",
            "Course/algebra     False  4        12 learners  No.",
            "1 of 2 ready.",
        ]


@pytest.fixture
def kubectl(tmp_path):
    """A program that answers as kubectl does, and notes what it was asked."""

    def make(answer="{}", status=0):
        (tmp_path / "answer").write_text(answer)
        program = tmp_path / "kubectl"
        program.write_text(
            f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncat {tmp_path}/answer\n'
            f"echo refused >&2\nexit {status}\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return str(program)

    make.asked = lambda: (tmp_path / "asked").read_text().strip()
    return make


class TestStatus:
    def test_ends_with_2_when_something_is_not_ready(self, kubectl):
        program = kubectl(json.dumps({"items": [item(ready="False")]}))
        ran = CliRunner().invoke(app, ["status", "-n", "demo", "--kubectl", program])
        assert ran.exit_code == 2
        assert kubectl.asked().startswith("get courses.kourse.dev,questionpools.kourse.dev,")
        assert kubectl.asked().endswith("-o json --namespace demo")

    def test_gives_json_of_a_stable_shape(self, kubectl):
        program = kubectl(json.dumps({"items": [item()]}))
        ran = CliRunner().invoke(app, ["status", "-o", "json", "--kubectl", program])
        assert ran.exit_code == 0
        assert json.loads(ran.stdout) == {
            "schema": "kourse.dev/status/v1",
            "objects": [
                {
                    "kind": "Course",
                    "name": "statistics",
                    "ready": "True",
                    "version": 4,
                    "counts": "12 learners",
                    "problem": "",
                }
            ],
        }

    def test_passes_on_what_kubectl_says(self, kubectl):
        ran = CliRunner().invoke(app, ["status", "--kubectl", kubectl(status=1)])
        assert (ran.exit_code, ran.stderr) == (1, "kourse status: refused\n")

    def test_says_when_there_is_no_kubectl(self):
        ran = CliRunner().invoke(app, ["status", "--kubectl", "/no/kubectl"])
        assert ran.exit_code == 1
        assert "install kubectl" in ran.stderr


class TestMarks:
    @pytest.mark.parametrize(
        ("command", "mark"),
        [
            ("pause", "kourse.dev/paused=true"),
            ("resume", "kourse.dev/paused-"),
            ("adopt", "kourse.dev/adopt=true"),
        ],
    )
    def test_annotate_the_object(self, kubectl, command, mark):
        ran = CliRunner().invoke(app, [command, "exam/final", "--kubectl", kubectl()])
        assert ran.exit_code == 0
        assert kubectl.asked() == f"annotate examconfigs.kourse.dev final {mark} --overwrite"

    def test_refuse_what_is_no_object_of_ours(self):
        ran = CliRunner().invoke(app, ["pause", "pod/x"])
        assert ran.exit_code == 1
        assert "'pod/x' is not KIND/NAME" in ran.stderr


class TestUsage:
    def test_ends_with_64_so_that_it_is_no_change_of_a_plan(self):
        assert CliRunner().invoke(app, ["plan", "--bogus"]).exit_code == 64
