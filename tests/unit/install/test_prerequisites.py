"""What the installer says when something is missing that it cannot bring."""

import shutil
import subprocess
import sys

import pytest

from hack.install import __main__ as command
from hack.install import packages, tools, venv
from hack.install.machine import ROOT, PrerequisiteMissing, cache_dir, require_command


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KOURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def bare_machine(monkeypatch, cache):
    """A machine where none of the servers is installed."""
    monkeypatch.setattr(packages, "SERVERS", {"a-server": "/no/such/server"})


@pytest.fixture
def policy(tmp_path, monkeypatch):
    """Debian's start policy, elsewhere."""
    monkeypatch.setattr(packages, "POLICY", tmp_path / "policy")
    monkeypatch.setattr(packages, "SAVED_POLICY", tmp_path / "saved")
    return tmp_path / "policy"


class TestCache:
    def test_is_outside_the_clone(self, monkeypatch, tmp_path):
        monkeypatch.delenv("KOURSE_CACHE", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        assert cache_dir() == tmp_path / ".cache" / "kourse"
        assert not cache_dir().is_relative_to(ROOT)

    def test_is_where_the_user_wants_it(self, cache):
        assert cache_dir() == cache


class TestMissingCommand:
    def test_is_one_sentence_with_the_remedy(self, monkeypatch):
        monkeypatch.setenv("PATH", "")
        with pytest.raises(PrerequisiteMissing, match=r"`go` is not on PATH: install Go 1\.26"):
            require_command("go", tools.GO_REMEDY)

    def test_ends_the_installer_with_2(self, monkeypatch, capsys, cache):
        monkeypatch.setenv("PATH", "")
        monkeypatch.setattr(sys, "argv", ["hack.install", "tools"])
        assert command.main() == 2
        assert capsys.readouterr().err.count("\n") == 1

    def test_is_told_from_an_old_one(self, monkeypatch, tmp_path, cache):
        old = tmp_path / "go"
        old.write_text("#!/bin/sh\necho go1.21.3\n")
        old.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        with pytest.raises(PrerequisiteMissing, match=r"too old \(go1\.21\.3\): install Go 1\.26"):
            tools.build_tools()


@pytest.mark.usefixtures("bare_machine")
class TestMissingPackages:
    def test_need_root(self, monkeypatch, policy):
        monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
        with pytest.raises(PrerequisiteMissing, match="run `sudo apt-get install -y a-server`"):
            packages.install_packages()
        assert not policy.exists()

    def test_need_debian(self, monkeypatch, policy):
        monkeypatch.setattr(shutil, "which", lambda _name: None)
        with pytest.raises(PrerequisiteMissing, match="no apt-get: install them by hand"):
            packages.install_packages()

    def test_are_installed_without_starting_their_servers(self, monkeypatch, policy):
        policy.write_text("the administrator's own")
        ran = []

        def run(argv, **_values):
            ran.append((argv[0], policy.read_text()))
            return subprocess.CompletedProcess(argv, 0, "", "")

        monkeypatch.setattr(subprocess, "run", run)
        packages.install_packages()
        assert {text for _argv, text in ran} == {packages.OUR_POLICY}
        assert policy.read_text() == "the administrator's own"

    def test_that_apt_cannot_bring_are_told_with_its_last_words(self, monkeypatch, policy):
        def run(argv, **_values):
            return subprocess.CompletedProcess(argv, 100, "", "E: first\nE: no network")

        monkeypatch.setattr(subprocess, "run", run)
        with pytest.raises(PrerequisiteMissing, match=r"failed \(E: no network\)"):
            packages.install_packages()
        assert not policy.exists()


class TestKilledInstallation:
    def test_is_undone_by_the_next_run(self, monkeypatch, policy, cache):
        monkeypatch.setattr(packages, "SERVERS", {})
        packages.SAVED_POLICY.write_text("the administrator's own")
        policy.write_text(packages.OUR_POLICY)
        packages.install_packages()
        assert policy.read_text() == "the administrator's own"
        assert not packages.SAVED_POLICY.exists()


class TestInstalledFile:
    def test_is_the_newest_version(self, tmp_path):
        for version in ("9", "15", "13"):
            (tmp_path / version).mkdir()
            (tmp_path / version / "server").touch()
        found = packages.installed_file(f"{tmp_path}/*/server")
        assert found == tmp_path / "15" / "server"

    def test_is_none_when_nothing_matches(self, tmp_path):
        assert packages.installed_file(f"{tmp_path}/*/server") is None


class TestTool:
    def test_is_built_again_when_what_pins_it_changes(self, cache, monkeypatch, tmp_path):
        shutil.copytree(tools.MINIO.directory, tmp_path / "hack" / "tools" / "minio")
        monkeypatch.setattr(tools, "ROOT", tmp_path)
        before = tools.MINIO.path
        assert tools.MINIO.path == before
        with (tools.MINIO.directory / "go.sum").open("a") as file:
            file.write("another line\n")
        assert tools.MINIO.path != before

    def test_is_pinned_by_a_module_of_its_own(self):
        for tool in (*tools.STACK_TOOLS, tools.HELM, tools.TOXIPROXY):
            pins = (tool.directory / "go.mod").read_text()
            assert tool.package.split("/cmd/")[0] in pins
            assert (tool.directory / "go.sum").exists()


class TestEnvironment:
    def test_that_is_up_to_date_is_not_touched(self, monkeypatch, tmp_path):
        monkeypatch.setattr(venv, "ENVIRONMENT", tmp_path)
        (tmp_path / "kourse.stamp").write_text(venv._digest())
        venv.install_venv()
        assert [path.name for path in tmp_path.iterdir()] == ["kourse.stamp"]

    def test_that_cannot_be_installed_is_told_in_one_sentence(self, monkeypatch, tmp_path):
        monkeypatch.setattr(venv, "ENVIRONMENT", tmp_path / "venv")
        monkeypatch.setattr(venv.sys, "executable", "/bin/false")
        with pytest.raises(PrerequisiteMissing, match="mend that and run this again"):
            venv.install_venv()
