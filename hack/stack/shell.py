"""What a person needs to work with a running stack: a file to source, commands, one screen."""

import shlex
from pathlib import Path

from hack.install.packages import SERVERS, installed_file
from hack.install.venv import ENVIRONMENT
from hack.stack.broker import rabbitmq_environment
from hack.stack.kubernetes import NAMESPACE
from hack.stack.layout import write_private
from hack.stack.people import ADMIN, LEARNER, TEACHER
from hack.stack.site import SUPERUSER, Site


def write_shell_files(site: Site) -> None:
    """Write ``env``, to be sourced, and the commands below ``bin``."""
    variables = shell_variables(site)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    commands = site.layout.directory("bin")
    path = f"export PATH={commands}:{ENVIRONMENT / 'bin'}:$PATH"
    write_private(site.layout.environment_file, "\n".join([*lines, path, ""]))
    for name, text in _commands(site).items():
        write_private(commands / name, text)
        (commands / name).chmod(0o700)


def shell_variables(site: Site) -> dict[str, str]:
    """Return the variables of ``env``."""
    return {
        "KOURSE_STATE": str(site.layout.root),
        "KUBECONFIG": str(site.layout.kubeconfig),
        "KOURSE_URL": site.url("gateway"),
        "KOURSE_NAMESPACE": NAMESPACE,
        "KOURSE_MAILBOX_URL": site.url("mail"),
        "KOURSE_TEACHER_EMAIL": TEACHER.email,
        "KOURSE_TEACHER_PASSWORD_FILE": str(site.layout.secret(TEACHER.secret)),
        "KOURSE_LEARNER_EMAIL": LEARNER.email,
        "KOURSE_LEARNER_PASSWORD_FILE": str(site.layout.secret(LEARNER.secret)),
        "KOURSE_ADMIN_EMAIL": ADMIN.email,
        "KOURSE_ADMIN_PASSWORD_FILE": str(site.layout.secret(ADMIN.secret)),
        "KOURSE_PSQL_URL": site.database_url(SUPERUSER, driver="postgresql"),
        "KOURSE_REDIS_TOKENS_URL": site.redis_url("redis-tokens"),
        "KOURSE_REDIS_CACHE_URL": site.redis_url("redis-cache"),
        "KOURSE_AMQP_URL": site.broker_url,
    }


def _commands(site: Site) -> dict[str, str]:
    """Return small scripts that know where this stack's servers are and how to log in."""
    sbin = _sbin()
    rabbit = [f"{name}={shlex.quote(value)}" for name, value in rabbitmq_environment(site).items()]
    scripts = {
        "kubectl": [shlex.quote(str(ENVIRONMENT / "bin" / "kubectl"))],
        "kourse-psql": ["psql", shlex.quote(site.database_url(SUPERUSER, driver="postgresql"))],
        "kourse-redis-tokens": [
            "redis-cli",
            "-u",
            site.redis_url("redis-tokens"),
            "--no-auth-warning",
        ],
        "kourse-redis-cache": [
            "redis-cli",
            "-u",
            site.redis_url("redis-cache"),
            "--no-auth-warning",
        ],
        "rabbitmqctl": ["env", *rabbit, str(sbin / "rabbitmqctl")],
        "rabbitmq-diagnostics": ["env", *rabbit, str(sbin / "rabbitmq-diagnostics")],
    }
    return {name: f'#!/bin/sh\nexec {" ".join(words)} "$@"\n' for name, words in scripts.items()}


def _sbin() -> Path:
    server = installed_file(SERVERS["rabbitmq-server"])
    return Path("/usr/sbin") if server is None else server.parent


def screen(site: Site) -> str:
    """Return the page that ``up`` ends with."""
    root = site.layout.root
    people = "".join(
        f"  {person.email:<26}{site.secret(person.secret)}   ({', '.join(person.roles)})\n"
        for person in (LEARNER, TEACHER, ADMIN)
    )
    return f"""
kourse is up.

  gateway      {site.url("gateway")}   (API page: {site.url("gateway")}/docs)
  kubeconfig   {site.layout.kubeconfig}   (namespace {NAMESPACE})
  mails        {site.url("mail")}/messages
  prometheus   {site.url("prometheus")}

Log in as
{people}
Next
  source {root / "env"}
  kubectl get courses,pools,exams,cohorts
  make smoke        takes a new learner through a course
  make status       what runs; make logs S=course; make down
"""
