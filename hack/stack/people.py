"""The people of the sample tenant, whose passwords are made up once per stack."""

from dataclasses import dataclass


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
