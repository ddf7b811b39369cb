"""The QuestionPool resource: questions with their answer keys."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from kourse.contracts.resources.meta import (
    CelRule,
    Decimal,
    DeletionPolicy,
    Document,
    DriftPolicy,
    Name,
    Names,
    Paragraph,
    RubricCriterion,
    Status,
    Tags,
    Title,
)


class QuestionType(StrEnum):
    """How a question is answered and graded."""

    SINGLE_CHOICE = "SingleChoice"
    MULTIPLE_CHOICE = "MultipleChoice"
    NUMERIC = "Numeric"
    SHORT_TEXT = "ShortText"
    MATCHING = "Matching"
    ORDERING = "Ordering"
    ESSAY = "Essay"
    CODE = "Code"
    FILE = "File"


class PartialCredit(StrEnum):
    """Whether a partly right answer earns a share of the points."""

    NONE = "None"
    PROPORTIONAL = "Proportional"


class ToleranceKind(StrEnum):
    """Whether a numeric tolerance is a distance or a percentage of the right value."""

    ABSOLUTE = "Absolute"
    PERCENT = "Percent"


class TextMatching(StrEnum):
    """How a short text is compared; white space at the ends and runs of it never count."""

    EXACT = "Exact"
    IGNORE_CASE = "IgnoreCase"


class Option(Document):
    """A choice, or an entry to be put in order."""

    key: Name
    text: Paragraph


class Pair(Document):
    """Two things that belong together."""

    key: Name
    left: Paragraph
    right: Paragraph


class Numeric(Document):
    """The right value of a numeric question."""

    value: Decimal = Field(description="The right value, a decimal number as a string.")
    tolerance: Decimal = Field("0", description="How far an answer may be off.")
    tolerance_kind: ToleranceKind = ToleranceKind.ABSOLUTE
    unit: str | None = Field(None, max_length=20, description="Shown beside the input field.")


class ShortText(Document):
    """The texts that are right."""

    accepted: list[Annotated[str, StringConstraints(min_length=1, max_length=200)]] = Field(
        min_length=1, max_length=20, description="Texts that are right."
    )
    matching: TextMatching = TextMatching.IGNORE_CASE


class CodeLanguage(StrEnum):
    """Languages in which programs are judged."""

    PYTHON = "Python"
    JAVA_SCRIPT = "JavaScript"
    JAVA = "Java"


class Disclosure(StrEnum):
    """Whether learners see what a test reads and expects, before their answer and after."""

    SHOWN = "Shown"
    HIDDEN = "Hidden"


class CodeTest(Document):
    """A run of the learner's program: what it is given, and what it has to write."""

    key: Name
    title: Title | None = Field(None, description="What learners read of it; its key without one.")
    stdin: str = Field("", max_length=10_000, description="What the program reads.")
    expected: str = Field(
        max_length=10_000,
        description="What it has to write; white space at the ends of lines and of all does not count.",
    )
    weight: int = Field(1, ge=1, le=100, description="Its part in the points.")
    disclosure: Disclosure = Field(
        Disclosure.HIDDEN,
        description="Whether learners see what it reads and what it expects, or never do.",
    )

    @property
    def hidden(self) -> bool:
        """Whether learners never see what it reads and what it expects."""
        return self.disclosure is Disclosure.HIDDEN


class Code(Document):
    """What a program is asked for and how it is judged."""

    list_map_keys: ClassVar[dict[str, str]] = {"tests": "key"}
    language: CodeLanguage
    starter: str | None = Field(
        None, max_length=10_000, description="The text with which learners begin."
    )
    tests: list[CodeTest] = Field(
        min_length=1, max_length=50, description="Points are shared among them by weight."
    )
    cpu_seconds: int = Field(5, ge=1, le=15, description="Processor time for each test.")
    memory_mib: int = Field(128, ge=16, le=500, description="Memory for each test.")


class FileRules(Document):
    """Which files answer a question."""

    extensions: list[Name] = Field(
        default_factory=list,
        max_length=16,
        description="Accepted file name endings; any when empty.",
    )
    max_size_mib: int = Field(20, ge=1, le=500, description="Largest answer in MiB, all files.")
    max_files: int = Field(1, ge=1, le=10, description="Most files of one answer.")


class Question(Document):
    """One question; which of the answer fields it needs follows from its type."""

    list_map_keys: ClassVar[dict[str, str]] = {"options": "key", "pairs": "key", "rubric": "key"}
    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "!(self.type in ['SingleChoice', 'MultipleChoice']) || "
            "(has(self.options) && self.options.size() >= 2 && has(self.correct))",
            "a choice question needs at least two 'options' and the keys of the right ones in 'correct'",
        ),
        CelRule(
            "self.type != 'SingleChoice' || (has(self.correct) && self.correct.size() == 1)",
            "a SingleChoice question has exactly one key in 'correct'",
        ),
        CelRule(
            "!has(self.correct) || (has(self.options) && self.correct.all(k, self.options.exists(o, o.key == k)))",
            "every key in 'correct' must be the key of an option",
        ),
        CelRule(
            "(self.type == 'Numeric') == has(self.numeric)", "'numeric' goes with type Numeric"
        ),
        CelRule(
            "(self.type == 'ShortText') == has(self.shortText)",
            "'shortText' goes with type ShortText",
        ),
        CelRule(
            "(self.type == 'Matching') == (has(self.pairs) && self.pairs.size() >= 2)",
            "a Matching question needs at least two 'pairs'",
        ),
        CelRule(
            "self.type != 'Ordering' || (has(self.options) && self.options.size() >= 3 && !has(self.correct))",
            "an Ordering question needs at least three 'options' in the right order and no 'correct'",
        ),
        CelRule(
            "(self.type in ['Essay', 'File']) == (has(self.rubric) && self.rubric.size() >= 1)",
            "an Essay or File question needs a 'rubric', and no other question has one",
        ),
        CelRule("(self.type == 'Code') == has(self.code)", "'code' goes with type Code"),
        CelRule("(self.type == 'File') == has(self.file)", "'file' goes with type File"),
    )
    key: Name
    type: QuestionType
    prompt: Paragraph
    skills: Names = Field(default_factory=list)
    difficulty: int = Field(3, ge=1, le=5, description="1 easy to 5 hard.")
    explanation: Paragraph = Field(
        description="Why the right answer is right; shown after release."
    )
    hint: Paragraph | None = None
    partial_credit: PartialCredit = PartialCredit.NONE
    options: list[Option] | None = Field(
        None, max_length=12, description="Choices, or the entries to order in their right order."
    )
    correct: list[Name] | None = Field(
        None, max_length=12, description="Keys of the right options."
    )
    numeric: Numeric | None = None
    short_text: ShortText | None = None
    pairs: list[Pair] | None = Field(None, max_length=12, description="What belongs together.")
    code: Code | None = Field(None, description="The program that is asked for.")
    file: FileRules | None = Field(None, description="The files that answer a File question.")
    rubric: list[RubricCriterion] | None = Field(
        None, max_length=10, description="Criteria by which people grade; shown after release."
    )


class QuestionPoolSpec(Document):
    """Questions from which exams and practice draw."""

    list_map_keys: ClassVar[dict[str, str]] = {"questions": "key"}
    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "has(self.courseRef) == has(oldSelf.courseRef) && "
            "(!has(self.courseRef) || self.courseRef == oldSelf.courseRef)",
            "courseRef cannot change; make a new pool instead",
            ".courseRef",
        ),
    )
    title: Title
    course_ref: Name | None = Field(
        None, description="The Course it belongs to; shared in the tenant when left out."
    )
    labels: Tags = Field(default_factory=list, description="Labels that an exam may draw by.")
    questions: list[Question] = Field(min_length=1, max_length=200, description="The questions.")
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    drift_policy: DriftPolicy = DriftPolicy.CORRECT


class QuestionPoolStatus(Status):
    """What is live of a pool."""

    questions: int | None = Field(None, ge=0, description="How many questions it has.")
