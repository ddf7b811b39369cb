"""Brings the sample course to life on a running stack."""

import os
import subprocess

import httpx2

from hack.install.machine import ROOT
from hack.install.venv import ENVIRONMENT
from hack.stack.cluster import FIELD_MANAGER, kubectl
from hack.stack.handover import StackError
from hack.stack.kubernetes import NAMESPACE
from hack.stack.lifecycle import Notice
from hack.stack.people import ADMIN, LEARNER, TEACHER, admit
from hack.stack.shell import shell_variables
from hack.stack.site import Site

SAMPLES = ROOT / "manifests" / "samples"
KINDS = "courses.kourse.dev,questionpools.kourse.dev,examconfigs.kourse.dev,cohorts.kourse.dev"
READY_SECONDS = 120


def bring_samples(site: Site, notice: Notice) -> None:
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
