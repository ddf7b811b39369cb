"""Waiting for what was applied."""

import json
from pathlib import Path

import pytest

from kourse.cli.kubectl import Kubectl
from kourse.cli.manifests import Manifest
from kourse.cli.readiness import wait_ready
from kourse.cli.session import CommandError

ONE = Manifest("Course", "statistics", "", {}, {}, Path("course.yaml"))


@pytest.fixture
def kubectl(tmp_path):
    """Answers with one course, ready or not, in the generation that is declared."""

    def make(ready, message=""):
        condition = {
            "type": "Ready",
            "status": ready,
            "message": message,
            "observedGeneration": 1,
        }
        item = {
            "kind": "Course",
            "metadata": {"name": "statistics", "generation": 1},
            "status": {"conditions": [condition]},
        }
        (tmp_path / "answer").write_text(json.dumps(item))
        program = tmp_path / "kubectl"
        program.write_text(f"#!/bin/sh\ncat {tmp_path}/answer\n")
        program.chmod(0o755)
        return Kubectl(str(program))

    return make


class TestWaitReady:
    def test_tells_of_each_object_that_is_ready(self, kubectl):
        said = []
        wait_ready(kubectl("True"), [ONE], 5, said.append)
        assert said == ["Course/statistics is ready (1 of 1)"]

    def test_names_what_is_not_ready_in_time(self, kubectl):
        with pytest.raises(CommandError, match=r"1 of 1 are not ready yet\. Course/statistics: No"):
            wait_ready(kubectl("False", "No."), [ONE], 0, print)
