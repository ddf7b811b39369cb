"""A person who deletes their account is forgotten by the whole platform."""

from contextlib import ExitStack, closing
from importlib import import_module

import psycopg
import pytest
from sqlalchemy.engine import make_url

from hack.smoke.journey import Journey
from hack.smoke.person import eventually
from hack.stack.endpoints import endpoints
from hack.stack.layout import Layout
from hack.stack.site import DATABASE_SERVICES, Site
from kourse.kit.erasure import PLATFORM, Remove


@pytest.fixture
def database(state):
    """The platform's database, bound by no policy."""
    found = endpoints(Site.load(Layout(state.absolute())))
    name = make_url(found.database_urls["kourse_identity"]).database
    url = make_url(found.superuser_url).set(database=name)
    with closing(
        psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)
    ) as connection:
        yield connection


@pytest.fixture
def journey(target):
    """A learner who has been through a course, from registration to a passed quiz."""
    journey = Journey(target)
    with ExitStack() as stack:
        for party in (journey.learner, journey.teacher, journey.mailbox):
            stack.callback(party.close)
        for _, step in journey.steps():
            step()
        yield journey


def tables(database):
    return database.execute(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY(%s)",
        [list(DATABASE_SERVICES)],
    ).fetchall()


def hits(database, canary):
    """The tables in which a text stands."""
    found = set()
    for schema, table in tables(database):
        query = f"SELECT 1 FROM {schema}.{table} t WHERE t::text LIKE %s LIMIT 1"
        if database.execute(query, [f"%{canary}%"]).fetchone():
            found.add((schema, table))
    return found


def kept_about(database, person):
    """The tables with rows about a person that should have gone."""
    found = set()
    for service in DATABASE_SERVICES:
        rules = getattr(import_module(f"kourse.{service}.tables"), "ERASURE", {})
        for table, rule in {**PLATFORM, **rules}.items():
            if isinstance(rule, Remove):
                query = f"SELECT 1 FROM {service}.{table} WHERE {rule.column}::text = %s LIMIT 1"
                if database.execute(query, [person]).fetchone():
                    found.add((service, table))
    return found


class TestDeletedAccount:
    def test_leaves_ids_and_results_alone_in_every_service(self, journey, database):
        learner, person = journey.learner, journey.facts["learner"]
        name = f"Unforgettable {journey.run}"
        learner.call("PATCH", "/v1/profile", json={"displayName": name})
        assert hits(database, name) == {("profile", "profile")}
        about = {service for service, _ in kept_about(database, person)}
        assert about >= {"identity", "profile", "notification"}

        learner.call("POST", "/v1/account/delete", json={"password": learner.password})

        eventually("the erasure", lambda: not kept_about(database, person))
        assert hits(database, name) == hits(database, learner.email) == set()
        learner.call("GET", "/v1/account", expect=401)
