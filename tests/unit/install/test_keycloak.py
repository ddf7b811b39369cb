"""Keycloak comes from one address with one digest, or not at all."""

import pytest

from hack.install import keycloak
from hack.install.machine import PrerequisiteMissing


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(keycloak, "installed_file", lambda _pattern: tmp_path / "java")


@pytest.mark.usefixtures("cache")
class TestInstallKeycloak:
    def test_uses_nothing_of_another_file(self, tmp_path, monkeypatch):
        (tmp_path / "other.zip").write_bytes(b"not the distribution")
        monkeypatch.setattr(keycloak, "SOURCE", (tmp_path / "other.zip").as_uri())

        with pytest.raises(PrerequisiteMissing, match="another file than the pinned one"):
            keycloak.install_keycloak()

        assert not keycloak.keycloak_directory().exists()

    def test_says_which_address_is_not_reached(self, tmp_path, monkeypatch):
        monkeypatch.setattr(keycloak, "SOURCE", (tmp_path / "gone.zip").as_uri())

        with pytest.raises(PrerequisiteMissing, match=r"gone\.zip is not reached"):
            keycloak.install_keycloak()

    def test_keeps_other_builds_apart(self, monkeypatch):
        before = keycloak.keycloak_directory()
        monkeypatch.setattr(keycloak, "BUILD_OPTIONS", ("--db=postgres",))

        assert keycloak.keycloak_directory() != before
