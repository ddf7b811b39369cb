"""The image holds what runs and nothing else."""

import json

import pytest

from hack.images.build import build_kourse
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


def layers(docker, image):
    """The digests of what is in the image's layers, files with all their attributes."""
    return json.loads(docker.run("inspect", "--format", "{{json .RootFS.Layers}}", image))


READ_SBOM = """
import json
bill = json.load(open('/app/sbom.cdx.json'))
print(json.dumps(sorted(each['name'] for each in bill['components'])))
"""
INSTALLED = """
import json, re
from importlib.metadata import distributions
print(json.dumps(sorted(re.sub('[-_.]+', '-', each.name).lower() for each in distributions())))
"""
