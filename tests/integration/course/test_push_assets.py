"""``kourse push-assets`` against a real course service and a real store."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from uuid import uuid4

import pytest
import pytest_asyncio
import yaml

from kourse.contracts import names
from kourse.contracts.resources import CourseSpec
from kourse.course.repository import content
from support.courses import CSV, CSV_SHA256, LONG_TEXT, with_assets
from support.houses import LEARNER
from support.waiting import until


@pytest.fixture
def folder(tmp_path):
    """Manifests with the files that they name."""
    manifest = {
        "apiVersion": "kourse.dev/v1alpha1",
        "kind": "Course",
        "metadata": {"name": "statistics"},
        "spec": with_assets(),
    }
    (tmp_path / "course.yaml").write_text(yaml.safe_dump(manifest))
    for path, data in (("assets/trips.csv", CSV), ("lessons/dice.md", LONG_TEXT)):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_bytes(data)
    return tmp_path


@pytest_asyncio.fixture
async def bucket(house):
    name = names.bucket(house.runtime.settings.bucket_prefix, "demo", "statistics")
    await house.runtime.buckets.ensure_bucket(name)
    yield name
    await house.runtime.buckets.delete_bucket(name)


@dataclass
class Ran:
    """How a command ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self):
        return self.stdout + self.stderr


@pytest.fixture
def kourse(house):
    """Runs the command as an author who asks the course service."""
    url = f"http://127.0.0.1:{house.process.http_port}"
    token = house.issuer.token(sub=str(LEARNER), roles=["author"])

    async def run(*arguments, **environment):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "kourse.cli"),
            *map(str, arguments),
            env={**os.environ, "KOURSE_URL": url, "KOURSE_TOKEN": token, **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return Ran(process.returncode, out.decode(), err.decode())

    return run


class TestPushAssets:
    async def test_sends_what_is_missing_and_takes_the_version_live(
        self, kourse, folder, publish, bucket
    ):
        await publish(spec=CourseSpec.model_validate(with_assets()))
        first = await kourse("push-assets", folder)
        assert first.exit_code == 0, first.output
        assert "statistics: assets/trips.csv, 32 bytes (1 of 2)" in first.output
        assert "statistics: 2 sent, 0 there already; version 1 is live" in first.output
        again = await kourse("push-assets", folder, "-o", "json")
        assert json.loads(again.stdout) == {
            "courses": [{"course": "statistics", "sent": 0, "present": 2, "published": None}]
        }

    async def test_comes_through_while_the_operator_writes_the_same_course(
        self, kourse, folder, publish, bucket, operator, rows
    ):
        await publish(spec=CourseSpec.model_validate(with_assets()))
        async with operator.transaction("demo") as tx:
            course = await content.find_course(tx, "statistics", lock=True)
            pushing = asyncio.create_task(kourse("push-assets", folder))
            await until(lambda: rows("SELECT 1 FROM pg_locks WHERE NOT granted"))
            await content.declare_assets(tx, course.id, {"assets/trips.csv": CSV_SHA256})
        answer = await pushing
        assert answer.exit_code == 0, answer.output

    async def test_waits_for_the_operator_and_then_gives_up(self, kourse, folder):
        answer = await kourse("push-assets", folder, "--timeout", "2")
        assert answer.exit_code == 1
        assert "There is no course 'statistics' here." in answer.output
        assert "waiting for the operator" in answer.output

    async def test_says_which_file_is_not_the_declared_one(self, kourse, folder):
        (folder / "assets/trips.csv").write_bytes(b"other")
        answer = await kourse("push-assets", folder)
        assert answer.exit_code == 1
        assert "write the new digest into the manifest" in answer.output

    async def test_asks_who_it_is(self, kourse, folder):
        answer = await kourse("push-assets", folder, KOURSE_TOKEN="")
        assert answer.exit_code == 1
        assert "Say who you are" in answer.output

    async def test_says_when_nobody_answers(self, kourse, folder):
        answer = await kourse("push-assets", folder, KOURSE_URL="http://127.0.0.1:1")
        assert answer.exit_code == 1
        assert "Is KOURSE_URL right?" in answer.output

    async def test_may_be_refused(self, kourse, folder, house):
        learner = house.issuer.token(sub=str(uuid4()))
        answer = await kourse("push-assets", folder, KOURSE_TOKEN=learner)
        assert answer.exit_code == 1
        assert "Authoring courses needs the author or the contributor role." in answer.output


class TestApply:
    async def test_runs_kubectl_and_then_sends(self, kourse, folder, publish, bucket, tmp_path):
        await publish(spec=CourseSpec.model_validate(with_assets()))
        kubectl = tmp_path.parent / f"kubectl-{uuid4().hex}"
        kubectl.write_text('#!/bin/sh\necho "$@" > "$0.said"\n')
        kubectl.chmod(0o755)
        answer = await kourse("apply", folder, "-n", "demo", KOURSE_KUBECTL=str(kubectl))
        assert answer.exit_code == 0, answer.output
        said = kubectl.with_name(f"{kubectl.name}.said").read_text()
        assert said == f"apply --server-side --recursive --namespace demo -f {folder}\n"
        assert "2 sent" in answer.output

    async def test_says_when_there_is_no_kubectl(self, kourse, folder):
        answer = await kourse("apply", folder, "--kubectl", "/no/kubectl")
        assert answer.exit_code == 1
        assert "'/no/kubectl' cannot be run; install kubectl" in answer.output
