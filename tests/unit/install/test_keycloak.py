"""Keycloak comes from one address with one digest, or not at all."""

import hashlib
import zipfile

import pytest

from hack.install import keycloak, maven
from hack.install.machine import PrerequisiteMissing


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(keycloak, "installed_file", lambda _pattern: tmp_path / "java")
    monkeypatch.setattr(maven, "_PAUSE_SECONDS", 0)


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

    def test_begins_a_download_again_that_broke_off(self, tmp_path, monkeypatch):
        whole = b"not a zip, but the pinned file"
        source = tmp_path / "broken-off.zip"
        source.write_bytes(whole[:5])
        monkeypatch.setattr(keycloak, "SOURCE", source.as_uri())
        monkeypatch.setattr(keycloak, "SHA256", hashlib.sha256(whole).hexdigest())
        monkeypatch.setattr(keycloak.time, "sleep", lambda _seconds: source.write_bytes(whole))

        with pytest.raises(zipfile.BadZipFile):
            keycloak.install_keycloak()

    def test_keeps_other_builds_apart(self, monkeypatch):
        before = keycloak.keycloak_directory()
        monkeypatch.setattr(keycloak, "BUILD_OPTIONS", ("--db=postgres",))

        assert keycloak.keycloak_directory() != before
