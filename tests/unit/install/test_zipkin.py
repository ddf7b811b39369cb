"""Zipkin comes from one address with one digest, or not at all."""

import hashlib

import pytest

from hack.install import maven, zipkin
from hack.install.machine import PrerequisiteMissing

SERVER = b"not a jar, but the pinned file"


@pytest.fixture(autouse=True)
def source(tmp_path, monkeypatch):
    path = tmp_path / "zipkin.jar"
    path.write_bytes(SERVER)
    monkeypatch.setenv("KOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(zipkin, "installed_file", lambda _pattern: tmp_path / "java")
    monkeypatch.setattr(zipkin, "SOURCE", path.as_uri())
    monkeypatch.setattr(maven, "_PAUSE_SECONDS", 0)
    return path


class TestInstallZipkin:
    def test_keeps_the_pinned_file(self, source, monkeypatch):
        monkeypatch.setattr(zipkin, "SHA256", hashlib.sha256(SERVER).hexdigest())
        zipkin.install_zipkin()
        source.unlink()  # it is not fetched again

        zipkin.install_zipkin()

        assert zipkin.zipkin_jar().read_bytes() == SERVER

    def test_uses_nothing_of_another_file(self):
        with pytest.raises(PrerequisiteMissing, match="another file than the pinned one"):
            zipkin.install_zipkin()

        assert not zipkin.zipkin_jar().exists()
