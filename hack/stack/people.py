"""The people of the sample tenant, whose passwords are made up once per stack."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

import httpx2

ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class SamplePerson:
    """Somebody to log in as.

    Attributes:
        email: The log-in.
        name: The name others see.
        roles: The tenant roles.
        secret: The file of the password among the stack's secrets.
    """

    email: str
    name: str
    roles: tuple[str, ...]
    secret: str


ADMIN = SamplePerson(
    email="admin@kourse.example",
    name="Ada Admin",
    roles=("tenant-admin",),
    secret="admin-password",  # noqa: S106 - a file's name
)
TEACHER = SamplePerson(
    email="teacher@kourse.example",
    name="Tomás Teacher",
    roles=("teacher", "author"),
    secret="teacher-password",  # noqa: S106 - a file's name
)
LEARNER = SamplePerson(
    email="learner@kourse.example",
    name="Lena Learner",
    roles=("learner",),
    secret="learner-password",  # noqa: S106 - a file's name
)


def admit(url: str, admin_password: str, people: Iterable[tuple[SamplePerson, str]]) -> None:
    """Have the tenant's administrator let people in; who is in already gets the roles.

    Args:
        url: Where identity's REST API is.
        admin_password: The administrator's.
        people: Whom, each with their first password.

    Raises:
        httpx2.HTTPError: Identity refuses or cannot be reached.
    """
    with httpx2.Client(base_url=url, timeout=ANSWER_SECONDS) as client:
        login = {"email": ADMIN.email, "password": admin_password}
        token = client.post("/v1/auth/login", json=login).raise_for_status().json()["accessToken"]
        client.headers["Authorization"] = f"Bearer {token}"
        for person, password in people:
            _admit_one(client, person, password)


def _admit_one(client: httpx2.Client, person: SamplePerson, password: str) -> None:
    body = {
        "email": person.email,
        "displayName": person.name,
        "roles": person.roles,
        "password": password,
    }
    answer = client.post("/v1/memberships", json=body)
    if answer.status_code != HTTPStatus.CONFLICT:
        answer.raise_for_status()
        return
    oldest = client.get("/v1/memberships", params={"limit": 100}).raise_for_status().json()
    roles = {"roles": [{"role": role} for role in person.roles]}
    for member in oldest["items"]:
        if member["email"] == person.email and _roles(member) != set(person.roles):
            path = f"/v1/memberships/{member['userId']}/roles"
            client.put(path, json=roles).raise_for_status()


def _roles(member: dict[str, list[dict[str, str]]]) -> set[str]:
    return {held["role"] for held in member["roles"]}
