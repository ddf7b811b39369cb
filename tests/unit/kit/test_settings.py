"""Two levels of environment, secret files, and templates that explain themselves."""

import pytest

from kourse.kit.settings import ServiceSettings, render_env


class TinySettings(ServiceSettings, service="tiny"):
    """Settings of no real service."""

    pages: int = 7
    """Pages in a book."""
    names: list[str] = ["a"]  # noqa: RUF012 -- pydantic copies it
    """Names of people."""


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith("KOURSE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KOURSE_PORT", "8000")
    return monkeypatch


class TestLoad:
    def test_prefers_the_services_own_variable(self, environment):
        environment.setenv("KOURSE_HOST", "10.0.0.1")
        environment.setenv("KOURSE_TINY_HOST", "10.0.0.2")

        assert TinySettings.load().host == "10.0.0.2"

    def test_falls_back_to_the_shared_one(self, environment):
        environment.setenv("KOURSE_LOG_LEVEL", "DEBUG")

        assert TinySettings.load().log_level == "DEBUG"

    def test_reads_secret_files_below_the_environment(self, environment, tmp_path):
        (tmp_path / "client_secret").write_text("from-file\n")
        (tmp_path / "database_url").write_text("from-file")
        environment.setenv("KOURSE_SECRETS_DIR", str(tmp_path))
        environment.setenv("KOURSE_DATABASE_URL", "from-environment")

        settings = TinySettings.load()

        assert (settings.client_secret, settings.database_url) == ("from-file", "from-environment")

    def test_reads_json(self, environment):
        environment.setenv("KOURSE_TENANT_NAMESPACES", '{"ns": "tenant"}')

        assert TinySettings.load().tenant_namespaces == {"ns": "tenant"}

    def test_says_which_variable_is_missing(self, environment):
        environment.delenv("KOURSE_PORT")

        with pytest.raises(SystemExit, match=r"KOURSE_TINY_PORT \(or KOURSE_PORT\) is missing"):
            TinySettings.load()

    def test_says_what_is_wrong_without_the_value(self, environment):
        environment.setenv("KOURSE_TINY_PAGES", "s3cret")

        with pytest.raises(SystemExit) as ended:
            TinySettings.load()

        assert "KOURSE_TINY_PAGES" in str(ended.value)
        assert "s3cret" not in str(ended.value)

    def test_shows_no_secret_in_its_text(self, environment):
        environment.setenv("KOURSE_CLIENT_SECRET", "s3cret")
        environment.setenv("KOURSE_DATABASE_URL", "postgresql://u:s3cret@h/d")

        assert "s3cret" not in repr(TinySettings.load())


class TestRenderEnv:
    def test_explains_every_variable(self):
        template = render_env(TinySettings)

        assert "# Pages in a book.\n#KOURSE_TINY_PAGES=7\n" in template
        assert '#KOURSE_TINY_NAMES=["a"]\n' in template
        assert "\nKOURSE_TINY_PORT=\n" in template
        assert "#KOURSE_LOG_LEVEL=INFO\n" in template
        assert "#KOURSE_DEVELOPMENT=false\n" in template

    def test_has_a_meaning_for_every_shared_field(self):
        assert all(field.description for field in ServiceSettings.model_fields.values())
