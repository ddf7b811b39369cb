"""Views of practice and mastery."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from kourse.assessment.schemas.parts import Answer, Decimal, QuestionView, TrialView
from kourse.assessment.service.mastery import SkillMastery
from kourse.assessment.service.practice import Checked, Offered
from kourse.kit.http import Body, View
from kourse.rules import points
from kourse.rules.mastery import Band


class CheckAnswer(Body):
    """An answer to a practice question."""

    seed: str = Field(
        pattern="^[A-Za-z0-9_-]{1,32}$",
        description="The seed under which the question was shown.",
        examples=["nX5cEo0bQy2_"],
    )
    answer: Answer


class MasteryView(View):
    """How well the learner knows a skill."""

    skill: str
    title: str
    probability: float = Field(description="That the skill is known, 0 to 1.")
    answers: int = Field(description="How many answers this rests on.")
    band: Band

    @classmethod
    def of(cls, one: SkillMastery) -> MasteryView:
        """The view of one skill."""
        return cls(
            skill=one.skill,
            title=one.title,
            probability=one.state.probability,
            answers=one.state.answers,
            band=one.state.band,
        )


class MasteryList(View):
    """The learner's mastery of a course's skills, in the course's order."""

    items: list[MasteryView]


class PracticeView(QuestionView):
    """A practice question of a lesson."""

    pool: str
    question: str
    seed: str = Field(
        description="Sent back with the answer; each time that the practice is asked for it is another."
    )
    skills: list[str]

    @classmethod
    def offered(cls, one: Offered) -> PracticeView:
        """The view of an offered question."""
        question = QuestionView.of(one.shown)
        return cls(
            **question.model_dump(),
            pool=one.pool,
            question=one.key,
            seed=one.seed,
            skills=list(one.skills),
        )


class PracticeList(View):
    """The practice of a lesson, in its order."""

    items: list[PracticeView]


class CheckedView(View):
    """What a practice answer came to."""

    correct: bool = Field(description="At least 80 % right.")
    share: Decimal = Field(description="Share of the question that was right, 0 to 1.")
    tests: list[TrialView] = Field(description="What a program came to, test by test.")
    solution: dict[str, Any]
    explanation: str
    mastery: list[MasteryView]

    @classmethod
    def of(cls, checked: Checked) -> CheckedView:
        """The view of a checked answer."""
        return cls(
            correct=checked.correct,
            share=points.text(checked.share),
            tests=TrialView.of_all(checked.question, checked.judged),
            solution=checked.solution,
            explanation=checked.explanation,
            mastery=[MasteryView.of(one) for one in checked.mastery],
        )
