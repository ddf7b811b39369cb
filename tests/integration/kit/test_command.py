"""``kourse admin migrate``, as the Helm hook and the local stack run it."""

import json
import os
import subprocess
import sys

import pytest

from kourse.kit.migrate import chains


def kourse(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-c", "from kourse.cli.main import main; main()", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


class TestMigrate:
    def test_brings_every_schema_to_its_head_and_tells_in_json(self, bare):
        ran = kourse("admin", "migrate", "-o", "json", "--database-url", bare.url("kourse_migrate"))
        assert ran.returncode == 0, ran.stderr
        schemas = {each["service"]: each for each in json.loads(ran.stdout)["schemas"]}
        assert set(schemas) == set(chains())
        assert all(each["before"] is None and each["applied"] for each in schemas.values())

    def test_takes_the_address_from_the_environment_and_one_service(self, bare):
        url = bare.url("kourse_migrate")
        ran = kourse("admin", "migrate", "--service", "identity", KOURSE_MIGRATE_DATABASE_URL=url)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.splitlines()[-1] == "Up to date: identity (0 applied)."

    @pytest.mark.parametrize(
        ("url", "sentence"),
        [
            ("postgresql://nobody@127.0.0.1:1/nothing", "The database does not answer"),
            ("nonsense", "is no address of a database"),
        ],
    )
    def test_says_in_one_line_what_is_wrong(self, url, sentence):
        ran = kourse("admin", "migrate", "--database-url", url)
        assert ran.returncode == 1
        assert sentence in ran.stderr
        assert "Traceback" not in ran.stderr
        assert "nothing" not in ran.stdout
