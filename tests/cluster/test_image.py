"""The image holds what runs and nothing else."""

import json

import pytest

from hack.images.build import build_kourse, build_runner
from hack.images.builder import Builder

RESTRICTED = ("--rm", "--read-only", "--cap-drop=ALL", "--network=none", "--tmpfs=/tmp")


@pytest.fixture(scope="module")
def image(docker):
    return build_kourse(Builder("docker", docker.environment))


def python(docker, image, text):
    return docker.run("run", *RESTRICTED, image, "python", "-c", text)


class TestImage:
    def test_runs_the_command_line_without_rights_or_a_writable_root(self, docker, image):
        assert "admin" in docker.run("run", *RESTRICTED, image, "kourse", "--help")
        assert python(docker, image, "import os; print(os.getuid(), os.getgid())") == "65532 65532"

    def test_has_no_kubernetes_client_beside_kopf(self, docker, image):
        found = python(
            docker,
            image,
            "from importlib.util import find_spec as f; print(f('kubernetes'), f('kopf') is None)",
        )
        assert found == "None False"

    def test_lists_every_package_that_is_in_it(self, docker, image):
        listed = json.loads(docker.run("run", *RESTRICTED, image, "python", "-c", READ_SBOM))
        installed = json.loads(docker.run("run", *RESTRICTED, image, "python", "-c", INSTALLED))
        assert listed == installed
        assert len(listed) > 90

    def test_says_what_it_is(self, docker, image):
        labels = json.loads(docker.run("inspect", "--format", "{{json .Config.Labels}}", image))
        assert labels["org.opencontainers.image.title"] == "kourse"
        assert labels["org.opencontainers.image.revision"] != "unknown"

    def test_is_the_same_when_it_is_built_again_from_nothing(self, docker, image):
        again = build_kourse(Builder("docker", docker.environment), again=True)
        try:
            assert layers(docker, again) == layers(docker, image)
        finally:
            docker.run("rmi", again)


class TestRunnerImage:
    def test_judges_programs_in_each_language_without_rights_or_a_network(self, docker):
        image = build_runner(Builder("docker", docker.environment))
        judged = json.loads(python(docker, image, JUDGE))
        assert judged == {"91": "ACCEPTED", "92": "ACCEPTED", "97": "ACCEPTED"}


def layers(docker, image):
    """The digests of what is in the image's layers, files with all their attributes."""
    return json.loads(docker.run("inspect", "--format", "{{json .RootFS.Layers}}", image))


READ_SBOM = """
import json
bill = json.load(open('/app/sbom.cdx.json'))
print(json.dumps(sorted(each['name'] for each in bill['components'])))
"""
JUDGE = """
import json, pathlib, tempfile
from kourse.runner.engine import Engine
from kourse.runner.judge import Judge, Work
from kourse.runner.languages import catalogue
folder = pathlib.Path(tempfile.mkdtemp())
judge, known = Judge(Engine()), catalogue(folder)
programs = {
    91: 'public class Main { public static void main(String[] a) { System.out.println(42); } }',
    92: 'print(42)',
    97: 'console.log(42)',
}
verdicts = {
    number: judge.judge(Work(known[number], source.encode(), expected=b'42')).status.name
    for number, source in programs.items()
}
print(json.dumps(verdicts))
"""
INSTALLED = """
import json, re
from importlib.metadata import distributions
print(json.dumps(sorted(re.sub('[-_.]+', '-', each.name).lower() for each in distributions())))
"""
