"""The people of the sample tenant, whose passwords are made up once per stack."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

import httpx2

ANSWER_SECONDS = 15.0


@dataclass(frozen=True)
class SamplePerson:
    """Somebody to log in as.

    Attributes:
        email: The log-in.
        name: The name others see.
        role: The tenant role.
        secret: The file of the password among the stack's secrets.
    """

    email: str
    name: str
    role: str
    secret: str


ADMIN = SamplePerson("admin@kourse.example", "Ada Admin", "tenant-admin", "admin-password")
TEACHER = SamplePerson("teacher@kourse.example", "Tomás Teacher", "teacher", "teacher-password")
LEARNER = SamplePerson("learner@kourse.example", "Lena Learner", "learner", "learner-password")


def admit(url: str, admin_password: str, people: Iterable[tuple[SamplePerson, str]]) -> None:
    """Have the tenant's administrator let people in; who is in already stays as they are.

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
        for person, password in people:
            answer = client.post(
                "/v1/memberships",
                json={
                    "email": person.email,
                    "displayName": person.name,
                    "roles": [person.role],
                    "password": password,
                },
                headers={"Authorization": f"Bearer {token}"},
            )
            if answer.status_code != HTTPStatus.CONFLICT:
                answer.raise_for_status()
