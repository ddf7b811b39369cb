"""The Course resource: content, rules and dates of one course."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from kourse.contracts.resources.meta import (
    Asset,
    CelRule,
    DeletionPolicy,
    Document,
    DriftPolicy,
    FewNames,
    LanguageTag,
    LatePolicy,
    Lifecycle,
    Markdown,
    Name,
    Names,
    Paragraph,
    Percent,
    Points,
    RubricCriterion,
    Status,
    Tags,
    TimeZone,
    Title,
    Window,
)


class Level(StrEnum):
    """How much a learner should know already."""

    BEGINNER = "Beginner"
    INTERMEDIATE = "Intermediate"
    ADVANCED = "Advanced"


class Visibility(StrEnum):
    """Who finds the course in the catalogue."""

    LISTED = "Listed"
    UNLISTED = "Unlisted"


class EnrolmentMode(StrEnum):
    """How learners get in: by themselves, through a cohort's code, or only when a teacher adds them."""

    OPEN = "Open"
    COHORT = "Cohort"
    CLOSED = "Closed"


class CoursePrerequisite(Document):
    """Another course of the tenant that should be completed first."""

    course_ref: Name = Field(description="Name of that Course.")
    min_completion: Percent = Field(100, description="Percent of its lessons to have completed.")


class Completion(Document):
    """When the course counts as completed."""

    lessons_percent: Percent = Field(100, description="Percent of the lessons to complete.")
    exams: Names = Field(default_factory=list, description="ExamConfigs to pass as well.")


class SkillParameters(Document):
    """Bayesian knowledge tracing parameters in percent (Corbett and Anderson 1995)."""

    prior: Percent = Field(30, description="Known before the first answer.")
    learn: Percent = Field(15, description="Learnt from one opportunity.")
    guess: Percent = Field(20, ge=1, le=50, description="Right although not known.")
    slip: Percent = Field(10, ge=1, le=50, description="Wrong although known.")


class Adaptivity(Document):
    """Mastery bands: below the first remediation, from the second challenge, in between the main path."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "self.remediationBelow <= self.challengeFrom",
            "'remediationBelow' must not exceed 'challengeFrom'",
        ),
    )
    remediation_below: Percent = Field(
        80, description="Mastery in percent below which a learner gets remediation."
    )
    challenge_from: Percent = Field(
        95, description="Mastery in percent from which a learner gets challenges."
    )


class Skill(Document):
    """Something that a learner can master."""

    key: Name
    title: Title
    prerequisites: FewNames = Field(
        default_factory=list, description="Keys of skills to master first."
    )
    parameters: SkillParameters = Field(default_factory=SkillParameters)
    adaptivity: Adaptivity | None = Field(
        None, description="Bands of this skill; those of the course when absent."
    )


class LessonPath(StrEnum):
    """Whom a lesson is for: everybody, or those whose mastery of its skills is low or high."""

    MAIN = "Main"
    REMEDIATION = "Remediation"
    CHALLENGE = "Challenge"


class Practice(Document):
    """Questions of a pool that a lesson embeds; unlimited, checked at once and explained."""

    pool: Name = Field(description="Name of the QuestionPool.")
    questions: Names = Field(
        default_factory=list, description="Keys of its questions; all when empty."
    )


class Lesson(Document):
    """One sitting of study."""

    list_map_keys: ClassVar[dict[str, str]] = {"assets": "path"}
    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "has(self.text) != has(self.textFile)", "give either 'text' or 'textFile', not both"
        ),
    )
    key: Name
    title: Title
    path: LessonPath = LessonPath.MAIN
    text: Markdown | None = Field(None, description="The lesson in Markdown (CommonMark).")
    text_file: Asset | None = Field(
        None, description="The lesson's Markdown as a file, for long texts."
    )
    assets: list[Asset] = Field(
        default_factory=list, max_length=32, description="Files that belong to the lesson."
    )
    skills: Names = Field(default_factory=list, description="Keys of the skills it teaches.")
    practice: list[Practice] = Field(
        default_factory=list, max_length=8, description="Questions to practise with."
    )
    minutes: int = Field(20, ge=1, le=600, description="Time an average learner needs, in minutes.")


class Chapter(Document):
    """Lessons that belong together, in order."""

    list_map_keys: ClassVar[dict[str, str]] = {"lessons": "key"}
    key: Name
    title: Title
    summary: Paragraph | None = None
    lessons: list[Lesson] = Field(min_length=1, max_length=64, description="Its lessons, in order.")


class AssignmentKind(StrEnum):
    """Whether files are handed in, or a project of files, a statement and a link."""

    UPLOAD = "Upload"
    PROJECT = "Project"


class FeedbackRelease(StrEnum):
    """When learners see points and comments: as soon as they are graded, or on a teacher's word."""

    AT_GRADING = "AtGrading"
    MANUAL = "Manual"


class LabelWindow(Document):
    """Other dates for enrolments that carry a label."""

    label: Name
    dates: Window


class AssignmentPolicy(Document):
    """Limits and dates of an assignment; changing them makes no new version of the course."""

    list_map_keys: ClassVar[dict[str, str]] = {"overrides": "label"}
    late_policy: LatePolicy = Field(default_factory=LatePolicy)
    dates: Window = Field(
        default_factory=Window, description="Default dates; a cohort may set its own."
    )
    overrides: list[LabelWindow] = Field(
        default_factory=list,
        max_length=8,
        description="Dates of enrolments that carry a label; later ones win, date by date.",
    )
    extensions: list[Name] = Field(
        default_factory=list,
        max_length=16,
        description="Accepted file name endings; any when empty.",
    )
    max_size_mib: int = Field(20, ge=1, le=500, description="Largest hand-in in MiB.")
    max_files: int = Field(5, ge=1, le=20, description="Most files of one hand-in.")
    hand_ins: int = Field(
        5, ge=1, le=50, description="Most hand-ins; the last one before the close counts."
    )
    group_size: int = Field(
        1, ge=1, le=10, description="Most learners who hand in as one group; 1: each alone."
    )
    release: FeedbackRelease = FeedbackRelease.AT_GRADING


class Assignment(AssignmentPolicy):
    """Work to hand in, graded by rubric."""

    list_map_keys: ClassVar[dict[str, str]] = {"rubric": "key", "overrides": "label"}
    key: Name
    title: Title
    kind: AssignmentKind = AssignmentKind.UPLOAD
    instructions: Markdown
    category: Name = Field(description="Key of the grade category it counts in.")
    points: Points = Field(description="Points for full marks.")
    skills: Names = Field(default_factory=list)
    rubric: list[RubricCriterion] = Field(
        default_factory=list, max_length=20, description="Criteria that graders look at."
    )


class GradeCategory(Document):
    """A share of the course grade."""

    key: Name
    title: Title
    weight: Percent = Field(
        description="Share of the course grade in percent; all weights add up to 100."
    )
    drop_lowest: int = Field(
        0, ge=0, le=20, description="How many of the lowest scores do not count."
    )


class GradeBand(Document):
    """A letter or word for a range of the course grade."""

    label: str = Field(min_length=1, max_length=20, description="Shown as the grade.")
    from_percent: Percent = Field(description="Lowest course grade in percent that earns it.")


_NAMED = "has(self.lesson), has(self.chapter), has(self.exam), has(self.skill)"


class Alternative(Document):
    """One thing to reach; exactly one of lesson, chapter, exam or skill."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            f"[{_NAMED}].filter(x, x).size() == 1",
            "name exactly one of 'lesson', 'chapter', 'exam' or 'skill'",
        ),
    )
    lesson: Name | None = Field(None, description="Key of a lesson to have completed.")
    chapter: Name | None = Field(
        None, description="Key of a chapter of whose lessons on the main path to have completed."
    )
    exam: Name | None = Field(None, description="Name of an ExamConfig to have scored in.")
    skill: Name | None = Field(None, description="Key of a skill to have mastered.")
    min_percent: Percent = Field(
        80, description="Completion, score or mastery asked for; ignored for a lesson."
    )


class Requirement(Alternative):
    """One thing a gate asks for, or several of which any will do."""

    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            f"[{_NAMED}, has(self.anyOf) && self.anyOf.size() > 0].filter(x, x).size() == 1",
            "name exactly one of 'lesson', 'chapter', 'exam', 'skill' or 'anyOf'",
        ),
    )
    any_of: list[Alternative] = Field(
        default_factory=list, max_length=8, description="Any one of these will do."
    )


class Gate(Document):
    """A chapter opens when all requirements are met."""

    chapter: Name = Field(description="Key of the chapter behind the gate.")
    requires: list[Requirement] = Field(min_length=1, max_length=16, description="All of these.")


class BadgeCriterion(StrEnum):
    """What a badge counts."""

    LESSONS_COMPLETED = "LessonsCompleted"
    EXAMS_PASSED = "ExamsPassed"
    POINTS_EARNED = "PointsEarned"
    STREAK_DAYS = "StreakDays"


class Badge(Document):
    """A recognition won when a learner's count reaches a threshold."""

    key: Name
    title: Title
    description: Paragraph
    criterion: BadgeCriterion
    threshold: int = Field(ge=1, le=100000, description="Count at which it is won.")


class AtRisk(Document):
    """When a learner is shown to the teacher as at risk."""

    inactive_days: int = Field(7, ge=1, le=365, description="Days without study.")
    mastery_below: Percent = Field(60, description="Mastery in percent.")
    due_within_days: int = Field(
        7, ge=1, le=60, description="Days until an assignment not yet handed in is due."
    )
    score_drop: Percent = Field(15, description="Fall of the mean score in percent.")
    missed: int = Field(2, ge=1, le=50, description="Assignments missed.")


class CourseSpec(Document):
    """A course as its authors declare it."""

    list_map_keys: ClassVar[dict[str, str]] = {
        "prerequisites": "courseRef",
        "skills": "key",
        "chapters": "key",
        "assignments": "key",
        "grade_categories": "key",
        "grade_bands": "label",
        "gates": "chapter",
        "badges": "key",
    }
    cel_rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            "!has(self.gradeCategories) || self.gradeCategories.size() == 0 || "
            "self.gradeCategories.map(c, c.weight).sum() == 100",
            "the weights of gradeCategories must add up to 100",
            ".gradeCategories",
        ),
        CelRule(
            "!has(self.assignments) || self.assignments.all(a, has(self.gradeCategories) && "
            "self.gradeCategories.exists(c, c.key == a.category))",
            "every assignment's category must be one of gradeCategories",
            ".assignments",
        ),
        CelRule(
            "!has(self.gates) || self.gates.all(g, self.chapters.exists(c, c.key == g.chapter))",
            "every gate's chapter must be one of chapters",
            ".gates",
        ),
        CelRule(
            "!has(self.skills) || self.skills.all(s, !has(s.prerequisites) || "
            "s.prerequisites.all(p, self.skills.exists(t, t.key == p)))",
            "every prerequisite of a skill must be the key of a skill",
            ".skills",
        ),
        CelRule(
            "!has(self.skills) || self.skills.all(s, !has(s.prerequisites) || "
            "s.prerequisites.all(p, p != s.key))",
            "a skill cannot be its own prerequisite",
            ".skills",
        ),
    )
    title: Title
    summary: Paragraph
    level: Level = Level.BEGINNER
    language: LanguageTag = "en"
    tags: Tags = Field(default_factory=list)
    visibility: Visibility = Visibility.LISTED
    enrolment: EnrolmentMode = EnrolmentMode.OPEN
    time_zone: TimeZone = "UTC"
    prerequisites: list[CoursePrerequisite] = Field(
        default_factory=list, max_length=16, description="Courses to complete before."
    )
    completion: Completion = Field(default_factory=Completion)
    skills: list[Skill] = Field(
        default_factory=list, max_length=80, description="What the course teaches, as a graph."
    )
    chapters: list[Chapter] = Field(
        min_length=1, max_length=40, description="The content, in order."
    )
    assignments: list[Assignment] = Field(
        default_factory=list, max_length=40, description="Work to hand in."
    )
    grade_categories: list[GradeCategory] = Field(
        default_factory=list, max_length=16, description="Shares of the course grade."
    )
    grade_bands: list[GradeBand] = Field(
        default_factory=list, max_length=16, description="Names for ranges of the course grade."
    )
    adaptivity: Adaptivity = Field(default_factory=Adaptivity)
    gates: list[Gate] = Field(
        default_factory=list,
        max_length=40,
        description="What opens a chapter; a chapter without a gate is open.",
    )
    badges: list[Badge] = Field(
        default_factory=list, max_length=32, description="Recognitions that learners can win."
    )
    at_risk: AtRisk = Field(default_factory=AtRisk)
    lifecycle: Lifecycle = Lifecycle.PUBLISHED
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    drift_policy: DriftPolicy = DriftPolicy.CORRECT


class CourseStatus(Status):
    """What is live of a course."""

    lifecycle: str | None = Field(
        None, max_length=20, description="Lifecycle of the newest version."
    )
    published_version: int | None = Field(
        None, ge=0, description="Newest version that learners see."
    )
    lessons: int | None = Field(None, ge=0, description="Lessons in the newest version.")
    learners: int | None = Field(None, ge=0, description="Active enrolments, refreshed in batches.")
    next_date: str | None = Field(
        None,
        max_length=40,
        description="When an exam next opens or closes, a cohort starts or one of its dates comes, UTC.",
    )
