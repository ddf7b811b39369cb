"""Brings the sample course to life on a running stack."""

import os
import subprocess
from pathlib import Path

import httpx2

from hack.install.machine import ROOT
from hack.install.venv import ENVIRONMENT
from hack.stack.cluster import FIELD_MANAGER, kubectl
from hack.stack.endpoints import Endpoints, endpoints
from hack.stack.handover import StackError
from hack.stack.kubernetes import NAMESPACE
from hack.stack.layout import Layout
from hack.stack.lifecycle import Notice, up
from hack.stack.people import ADMIN, LEARNER, TEACHER, admit
from hack.stack.profiles import Profile
from hack.stack.shell import shell_variables, write_shell_files
from hack.stack.site import Site

SAMPLES = ROOT / "manifests" / "samples"
KINDS = "courses.kourse.dev,questionpools.kourse.dev,examconfigs.kourse.dev,cohorts.kourse.dev"
READY_SECONDS = 120


def _silently(_name: str, _text: str) -> None:
    """Tell nobody."""


def bring_up(state_dir: Path, notice: Notice = _silently) -> Endpoints:
    """Bring everything up and the sample course to life, unless it is; return where things are.

    Args:
        state_dir: The stack's state directory, made if missing.
        notice: Told of every process that becomes ready and of every step.

    Raises:
        PrerequisiteMissing: The machine lacks something that cannot be installed from here.
        StackError: Something does not become ready.
    """
    site = up(Layout(state_dir.absolute()), Profile.FULL, notice)
    write_shell_files(site)
    bring_sample(site, notice)
    return endpoints(site)


def bring_sample(site: Site, notice: Notice) -> None:
    """Let the sample people in, apply the sample course, send its assets, wait until it is live.

    All of it may be done again: what is there already stays.

    Args:
        site: The running stack.
        notice: Told of every step: its name and a text.

    Raises:
        StackError: A step fails; the text says why.
    """
    for name, step, text in (
        ("people", _admit_people, "can log in"),
        ("course", _apply, "applied"),
        ("assets", _push_assets, "sent"),
        ("course", _wait_until_ready, "live"),
    ):
        try:
            step(site)
        except subprocess.CalledProcessError as failed:
            reason = (failed.stderr or failed.stdout).strip()
            raise StackError(f"The sample's {name}: {reason}") from failed
        except httpx2.HTTPError as failed:
            raise StackError(f"The sample's {name}: {failed}") from failed
        notice(name, text)


def _admit_people(site: Site) -> None:
    people = [(person, site.secret(person.secret)) for person in (TEACHER, LEARNER)]
    admit(site.url("identity"), site.secret(ADMIN.secret), people)


def _apply(site: Site) -> None:
    flags = ["--server-side", "--force-conflicts", "--field-manager", FIELD_MANAGER]
    where = ["-n", NAMESPACE, "--recursive", "-f", str(SAMPLES)]
    kubectl(site.layout, "apply", *flags, *where)


def _push_assets(site: Site) -> None:
    subprocess.run(
        [str(ENVIRONMENT / "bin" / "kourse"), "push-assets", str(SAMPLES)],
        env={**os.environ, **shell_variables(site)},
        capture_output=True,
        text=True,
        check=True,
    )


def _wait_until_ready(site: Site) -> None:
    until = ["--for=condition=Ready", "--all", f"--timeout={READY_SECONDS}s"]
    kubectl(site.layout, "wait", "-n", NAMESPACE, *until, KINDS)
