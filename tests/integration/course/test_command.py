"""``kourse plan``, ``diff``, ``export`` and ``explain`` as commands, against a real course service."""

import asyncio
import json
import os
import sys

import pytest
import yaml

from support.courses import course_document
from support.houses import LEARNER

MANIFEST = {
    "apiVersion": "kourse.dev/v1alpha1",
    "kind": "Course",
    "metadata": {"name": "statistics"},
}


@pytest.fixture
def manifest(tmp_path):
    """Writes a course's manifest; its path."""

    def write(**changes):
        path = tmp_path / "course.yaml"
        path.write_text(yaml.safe_dump(MANIFEST | {"spec": course_document(**changes)}))
        return path

    return write


@pytest.fixture
def kourse(house):
    """Runs the command; its exit status and what it printed."""

    async def run(*arguments, roles=("planner",)):
        token = house.issuer.token(sub=str(LEARNER), roles=list(roles))
        url = f"http://127.0.0.1:{house.process.http_port}"
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "kourse.cli"),
            *map(str, arguments),
            env={**os.environ, "KOURSE_URL": url, "KOURSE_TOKEN": token},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()

    return run


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """Only course runs here; what it would tell assessment and profile is heard by nobody."""
    monkeypatch.setenv("NO_COLOR", "1")


class TestPlan:
    async def test_ends_with_0_when_nothing_would_change(self, kourse, manifest, publish):
        await publish()
        assert await kourse("plan", "-f", manifest()) == (0, "Plan for demo: 1 as declared.\n", "")

    async def test_ends_with_2_when_something_would(self, kourse, manifest, publish):
        await publish()
        status, out, _ = await kourse("plan", "-f", manifest(visibility="Unlisted"))
        assert status == 2
        assert out == (
            "~ Course/statistics  version 1 stays\n"
            '    spec.visibility "Listed" → "Unlisted"\n'
            "    rows      course 1 changed\n"
            "\n"
            "Plan for demo: 1 to change.\n"
        )

    async def test_ends_with_1_when_something_is_wrong(self, kourse, manifest):
        status, out, _ = await kourse("plan", "-f", manifest(timeZone="Mars/Olympus"))
        assert status == 1
        assert "! Course/statistics  is refused" in out
        assert "Mars/Olympus" in out

    async def test_ends_with_1_when_the_caller_may_not(self, kourse, manifest):
        status, _, err = await kourse("plan", "-f", manifest(), roles=("learner",))
        assert (status, err) == (
            1,
            "kourse plan: Planning courses needs the planner or the author role.\n",
        )

    async def test_finds_nothing_in_an_empty_folder(self, kourse, tmp_path):
        status, _, err = await kourse("plan", "-f", tmp_path)
        assert status == 1
        assert "There is no Course, QuestionPool, ExamConfig or Cohort" in err


class TestDiff:
    async def test_names_fields_only(self, kourse, manifest, publish):
        await publish()
        status, out, _ = await kourse("diff", "-f", manifest(visibility="Unlisted"))
        assert (status, out) == (
            2,
            '~ Course/statistics\n    spec.visibility "Listed" → "Unlisted"\n',
        )


class TestExport:
    async def test_gives_a_manifest_that_changes_only_who_owns_it(self, kourse, house, tmp_path):
        document = course_document(visibility="Unlisted")
        path = "/v1/authoring/courses/statistics"
        assert (await house.put(path, document, roles=["author"])).status == 200
        status, out, _ = await kourse("export", "course/statistics", roles=("author",))
        assert status == 0
        (tmp_path / "exported.yaml").write_text(out)
        status, out, _ = await kourse("plan", "-f", tmp_path, "-o", "json")
        (planned,) = json.loads(out)["objects"]
        assert (status, planned["rows"], planned["status"]) == (2, [], [])
        assert planned["changes"] == [{"path": "owner", "before": "api", "after": "resource"}]


class TestExplain:
    async def test_ends_with_2_when_the_learner_cannot(self, kourse, publish):
        await publish()
        status, out, _ = await kourse(
            *("explain", "lesson", "statistics/coins", "--learner", LEARNER), roles=("teacher",)
        )
        assert status == 2
        assert out.splitlines()[1:3] == [
            "  ✓ live: version 1 is live",
            "  ✗ enrolled: not enrolled in statistics",
        ]
