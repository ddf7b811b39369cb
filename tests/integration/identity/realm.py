"""The realm behind identity, as its administrators and people's browsers see it."""

import html
import re
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import aiohttp
import psycopg
from yarl import URL

from hack.stack.database import KEYCLOAK_DATABASE, KEYCLOAK_ROLE
from integration.identity.conftest import PASSWORD, address
from kourse.identity.domain.keycloak import password_of
from kourse.identity.repository import links
from kourse.identity.repository.keycloak_users import KeycloakUsers

COOKIE = "__Host-kourse-sign-on"
NOWHERE = "http://127.0.0.1:9"


class Console:
    """An administrator of the realm, who knows nothing of kourse."""

    def __init__(self, house):
        self.parts = house.process.runtime.extras["house"]
        self.keycloak = self.parts.credentials._keycloak
        self.users = KeycloakUsers(self.keycloak)

    async def user(self, email=None, **more):
        """Address and id of somebody made here."""
        email = email or address()
        sealed = await self.parts.credentials.seal(PASSWORD)
        user = {
            "username": email, "email": email, "emailVerified": True, "enabled": True,
            "firstName": "Noor", "credentials": [password_of(sealed)], **more,
        }  # fmt: skip
        subject, _ = await self.users.add(user)
        return email, subject

    async def subject(self, email):
        """The id of the user whose account has this address."""
        async with self.parts.database.transaction(None) as tx:
            return await links.find_subject_by_email(tx, self.users.issuer, email)

    async def enable(self, email, *, is_enabled=True):
        await self.users.put(await self.subject(email), {"enabled": is_enabled})

    async def disable(self, email):
        await self.enable(email, is_enabled=False)

    async def move(self, email, to, *, is_verified=True):
        change = {"email": to, "username": to, "emailVerified": is_verified}
        await self.users.put(await self.subject(email), change)

    async def reset_password(self, email, password):
        body = {"type": "password", "value": password, "temporary": False}
        path = f"users/{await self.subject(email)}/reset-password"
        await self.keycloak.ask("PUT", path, body)


class EventTables:
    """The tables in which the realm keeps its events, for what no interface of Keycloak does."""

    def __init__(self, site):
        password = site.secret(f"postgres-{KEYCLOAK_ROLE}")
        self.address = f"postgresql://{KEYCLOAK_ROLE}:{password}@{site.address('postgres')}/{KEYCLOAK_DATABASE}"

    def about(self, *subjects):
        """How many events of administrators there are about the users."""
        paths = [f"users/{one}%" for one in subjects]
        query = "SELECT count(*) FROM admin_event_entity WHERE resource_path LIKE ANY(%s)"
        with psycopg.connect(self.address) as connection:
            return connection.execute(query, [paths]).fetchone()[0]

    def date(self, unix_ms, *subjects):
        """All events about the users were made at that time."""
        paths = [f"users/{one}%" for one in subjects]
        self._run(
            "UPDATE admin_event_entity SET admin_event_time = %s WHERE resource_path LIKE ANY(%s)",
            unix_ms,
            paths,
        )

    def clear(self, *subjects):
        """No event tells of the users any more."""
        paths = [f"users/{one}%" for one in subjects]
        self._run("DELETE FROM admin_event_entity WHERE resource_path LIKE ANY(%s)", paths)

    def _run(self, statement, *values):
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(statement, values)


class Browser:
    """A browser: what it was given by identity, and its cookies at Keycloak."""

    def __init__(self, house, session):
        self.house = house
        self.session = session
        self.secret = ""

    async def leave(self, **query):
        """Keycloak's address, to which identity sends the browser."""
        answer = await self.house.http.get(
            "/v1/auth/sso/login", params=query, allow_redirects=False
        )
        assert answer.status == 303, await answer.text()
        self.cookie = answer.cookies[COOKIE]
        self.secret = self.cookie.value
        return answer.headers["Location"]

    async def page(self, location):
        """What Keycloak answers there."""
        async with self.session.get(location, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", ""), await answer.text()

    async def log_in(self, location, email, password=PASSWORD):
        """What Keycloak sends back with: its query, once the person has logged in there."""
        status, back, text = await self.page(location)
        if status != 302:
            back = await self.fill_in(text, username=email, password=password)
        return query_of(back)

    async def fill_in(self, text, **fields):
        """Where Keycloak sends the browser that filled in the form of a page."""
        action = html.unescape(re.search(r'action="([^"]+)"', text)[1])
        async with self.session.post(action, data=fields, allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
            return answer.headers["Location"]

    async def come_back(self, query):
        """Identity's answer to what Keycloak sent."""
        return await self.house.http.get(
            "/v1/auth/sso/callback", params=query, headers={"Cookie": f"{COOKIE}={self.secret}"}
        )

    async def sign_on(self, email, **query):
        return await self.come_back(await self.log_in(await self.leave(**query), email))

    async def is_logged_in(self):
        """Whether Keycloak lets the browser in without asking who it is."""
        status, _, _ = await self.page(await self.leave())
        return status == 302


def query_of(location):
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


@asynccontextmanager
async def opened(house):
    """A browser that nobody has used."""
    # Browsers send secure cookies to the machine itself without TLS too.
    keycloak = URL(house.process.runtime.settings.keycloak_url)
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[keycloak])
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Browser(house, session)


@contextmanager
def away(house):
    """Keycloak cannot be reached by those who serve requests."""
    keycloak = house.process.runtime.extras["house"].credentials._keycloak
    here = keycloak.realm
    keycloak.realm = replace(here, url=NOWHERE)
    try:
        yield
    finally:
        keycloak.realm = here
