"""What the learners study: a small course of its own with a quiz and cohorts, live before the storm."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hack.smoke import manifests
from hack.smoke.person import Person, Unexpected, eventually
from hack.smoke.target import Target
from hack.smoke.team import Team

COHORTS = 8
"""Least classes to spread the learners over, as they would be in a school."""
SEATS = 200
"""In each class."""
QUESTIONS = 2
REVISED = "-side"
UNAVAILABLE = 503
"""Come again, says the platform, for a moment after a part of it was lost."""


@dataclass
class Classroom:
    """One run's course, quiz and cohorts.

    Attributes:
        learners: How many there is a seat for.
        name: Of the run; the names of all resources begin with it.
        codes: Join codes by cohort.
        lessons: Keys of the lessons on the main path, in order.
        revision: Of the course that the platform team changes meanwhile.
        answers: The quiz's questions by prompt, for learners who know the subject.
    """

    target: Target
    learners: int
    name: str = field(default_factory=lambda: f"chaos-{secrets.token_hex(3)}")
    codes: dict[str, str] = field(default_factory=dict)
    lessons: tuple[str, ...] = ()
    revision: int = 1
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def course(self) -> str:
        """Name of the course."""
        return f"{self.name}-course"

    @property
    def side_course(self) -> str:
        """Name of the course that changes all the time."""
        return f"{self.name}{REVISED}-course"

    @property
    def quiz(self) -> str:
        """Name of the quiz."""
        return f"{self.name}-quiz"

    def open(self) -> None:
        """Everything is live, and the codes are known.

        Raises:
            Unexpected: The platform refuses something.
        """
        team = self._team
        course, quiz = manifests.course(self.name), manifests.quiz(self.name)
        quiz["spec"]["zones"][0]["draws"][0]["count"] = QUESTIONS
        classes = max(COHORTS, -(-self.learners // SEATS))
        cohorts = [self._cohort(number) for number in range(classes)]
        side = self._side(self.revision)
        team.apply(course, manifests.pool(self.name), quiz, side, *cohorts)
        eventually("the files of the course", lambda: _succeeds(lambda: team.push_assets(course)))
        eventually("those of the side course", lambda: _succeeds(lambda: team.push_assets(side)))
        for resource in (course, quiz, side, *cohorts):
            team.wait_ready(f"{resource['kind'].lower()}.kourse.dev/{resource['metadata']['name']}")
        self.answers = manifests.answers(self.name)
        self.lessons = tuple(
            lesson["key"]
            for lesson in course["spec"]["chapters"][0]["lessons"]
            if lesson.get("path", "Main") == "Main"
        )
        with self._teacher() as teacher:
            for cohort in cohorts:
                name = cohort["metadata"]["name"]
                self.codes[name] = teacher.get(f"/v1/cohorts/{name}/code")["code"]

    def revise(self) -> None:
        """The platform team applies a further revision of the side course.

        Raises:
            Unexpected: kubectl failed.
        """
        self.revision += 1
        self._team.apply(self._side(self.revision))

    def wait_until_revised(self) -> None:
        """The newest revision is live, for the cluster and for people.

        Raises:
            Unexpected: It is not within a minute.
        """
        side = self._side(self.revision)
        self._team.apply(side)
        self._team.wait_ready(f"course.kourse.dev/{self.side_course}")
        title = side["spec"]["title"]
        with self._teacher() as teacher:
            path = f"/v1/courses/{self.side_course}"
            eventually(
                f"{title!r}",
                lambda: teacher.get(path, expect=(200, UNAVAILABLE))["title"] == title,
            )

    @cached_property
    def _team(self) -> Team:
        return Team(self.target)

    @contextmanager
    def _teacher(self) -> Iterator[Person]:
        where = self.target
        with closing(Person(where.url, where.teacher_email, where.teacher_password)) as teacher:
            eventually("the teacher's log-in", lambda: _succeeds(teacher.log_in))
            yield teacher

    def _side(self, revision: int) -> dict[str, Any]:
        side = manifests.course(self.name + REVISED, revision=revision)
        for lesson in side["spec"]["chapters"][0]["lessons"]:
            del lesson["practice"]
        return side

    def _cohort(self, number: int) -> dict[str, Any]:
        cohort = manifests.cohort(self.name)
        cohort["metadata"]["name"] = f"{self.name}-c{number}"
        cohort["spec"] |= {"title": f"Class {number}", "seats": SEATS}
        return cohort


def _succeeds(act: Callable[[], None]) -> bool:
    """Whether it works now; on a busy machine the platform may ask to come again."""
    try:
        act()
    except Unexpected:
        return False
    return True
