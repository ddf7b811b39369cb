"""The API server itself refuses bad manifests, with the field's path and a sentence."""

import copy

import pytest
from kubernetes.client import ApiException

from support.operator_fakes import SPECS

LESSON = {"key": "l", "title": "L", "text": "x"}
CHOICE = {"key": "c", "type": "SingleChoice", "prompt": "?", "explanation": "So."}
OPTIONS = [{"key": "a", "text": "A"}, {"key": "b", "text": "B"}]
DATES = {"course": "statistics", "exam": "final"}


def course(**changes):
    return ("Course", "one", {**SPECS["Course"], **changes})


def lesson(**changes):
    made = {**LESSON, **changes}
    made = {name: value for name, value in made.items() if value is not None}
    return course(chapters=[{"key": "a", "title": "A", "lessons": [made]}])


def exam(**changes):
    return ("ExamConfig", "one", {**SPECS["ExamConfig"], **changes})


def draw(**changes):
    draws = [{"count": 1, **changes}]
    return exam(zones=[{"key": "z", "title": "Z", "draws": draws}])


def cohort(**changes):
    return ("Cohort", "one", {**SPECS["Cohort"], **changes})


def question(**changes):
    made = {**CHOICE, **changes}
    return ("QuestionPool", "one", {**SPECS["QuestionPool"], "questions": [made]})


def without(kind, field):
    spec = copy.deepcopy(SPECS[kind])
    del spec[field]
    return (kind, "one", spec)


BAD = {
    "unknown field": (course(colour="red"), 'unknown field "spec.colour"'),
    "missing title": (without("Course", "title"), "spec.title: Required value"),
    "no chapters": (course(chapters=[]), "spec.chapters: Invalid value"),
    "wrong type": (course(title=7), "spec.title: Invalid value"),
    "not in the enumeration": (course(level="Expert"), 'spec.level: Unsupported value: "Expert"'),
    "name with a dot": (
        ("Course", "a.b", SPECS["Course"]),
        "metadata.name must be a DNS label: at most 63 characters and no dots",
    ),
    "name too long": (("Course", "n" * 64, SPECS["Course"]), "at most 63 characters"),
    "key that is no label": (lesson(key="Not A Key"), "spec.chapters[0].lessons[0].key: Invalid"),
    "two lessons of one key": (
        course(chapters=[{"key": "a", "title": "A", "lessons": [LESSON, LESSON]}]),
        "spec.chapters[0].lessons[1]: Duplicate value",
    ),
    "neither text nor file": (
        lesson(text=None),
        "spec.chapters[0].lessons[0]: Invalid value: give either 'text' or 'textFile', not both",
    ),
    "minutes out of range": (lesson(minutes=0), "lessons[0].minutes: Invalid value"),
    "digest too short": (
        lesson(assets=[{"path": "a", "sha256": "ab"}]),
        "lessons[0].assets[0].sha256: Invalid value",
    ),
    "weights that miss 100": (
        course(gradeCategories=[{"key": "a", "title": "A", "weight": 40}]),
        "spec.gradeCategories: Invalid value: the weights of gradeCategories must add up to 100",
    ),
    "assignment without its category": (
        course(
            assignments=[
                {"key": "w", "title": "W", "instructions": "x", "category": "a", "points": 5}
            ]
        ),
        "spec.assignments: Invalid value: every assignment's category must be one of gradeCat",
    ),
    "gate before no chapter": (
        course(gates=[{"chapter": "zzz", "requires": [{"lesson": "l"}]}]),
        "spec.gates: Invalid value: every gate's chapter must be one of chapters",
    ),
    "gate that asks two things at once": (
        course(gates=[{"chapter": "a", "requires": [{"lesson": "l", "exam": "e"}]}]),
        "name exactly one of 'lesson', 'chapter', 'exam', 'skill' or 'anyOf'",
    ),
    "unknown prerequisite of a skill": (
        course(skills=[{"key": "a", "title": "A", "prerequisites": ["zzz"]}]),
        "spec.skills: Invalid value: every prerequisite of a skill must be the key of a skill",
    ),
    "skill before itself": (
        course(skills=[{"key": "a", "title": "A", "prerequisites": ["a"]}]),
        "spec.skills: Invalid value: a skill cannot be its own prerequisite",
    ),
    "bands the wrong way round": (
        course(adaptivity={"remediationBelow": 96}),
        "spec.adaptivity: Invalid value: 'remediationBelow' must not exceed 'challengeFrom'",
    ),
    "exam without a course": (without("ExamConfig", "courseRef"), "spec.courseRef: Required value"),
    "exam that counts nowhere": (
        exam(purpose="Exam"),
        "spec.category: Invalid value: a quiz or an exam needs a grade 'category'",
    ),
    "draw from nowhere": (
        draw(),
        "spec.zones[0].draws[0]: Invalid value: name the pools to draw from in 'pools' or by",
    ),
    "difficulties the wrong way round": (
        draw(pools=["p"], minDifficulty=4, maxDifficulty=2),
        "'minDifficulty' must not exceed 'maxDifficulty'",
    ),
    "exam that closes before it opens": (
        exam(dates={"opens": {"day": 5}, "closes": {"day": 3}}),
        "spec.dates: Invalid value: 'closes' must not be before 'opens'",
    ),
    "exam due before it opens": (
        exam(dates={"opens": {"at": "2027-01-02T10:00"}, "due": {"at": "2027-01-01T10:00"}}),
        "spec.dates: Invalid value: 'due' must not be before 'opens'",
    ),
    "moment said twice": (
        exam(dates={"opens": {"at": "2027-01-02T10:00", "day": 3}}),
        "spec.dates.opens: Invalid value: give either 'at' or 'day', not both",
    ),
    "time without a day": (
        exam(dates={"opens": {"at": "2027-01-02T10:00", "time": "10:00"}}),
        "spec.dates.opens: Invalid value: 'time' goes with 'day'",
    ),
    "choice without options": (
        question(),
        "a choice question needs at least two 'options' and the keys of the right ones in 'correct'",
    ),
    "single choice with two right": (
        question(options=OPTIONS, correct=["a", "b"]),
        "a SingleChoice question has exactly one key in 'correct'",
    ),
    "right key that is no option": (
        question(options=OPTIONS, correct=["zzz"]),
        "every key in 'correct' must be the key of an option",
    ),
    "numeric without a value": (question(type="Numeric"), "'numeric' goes with type Numeric"),
    "number that is none": (
        question(type="Numeric", numeric={"value": "two"}),
        "spec.questions[0].numeric.value: Invalid value",
    ),
    "ordering of two": (
        question(type="Ordering", options=OPTIONS),
        "an Ordering question needs at least three 'options' in the right order and no 'correct'",
    ),
    "matching without pairs": (
        question(type="Matching"),
        "a Matching question needs at least two 'pairs'",
    ),
    "run that ends before it starts": (
        cohort(run={"starts": "2027-01-02", "ends": "2027-01-01"}),
        "spec.run.ends: Invalid value: the run must not end before it starts",
    ),
    "run that starts on no day": (
        cohort(run={"starts": "2027-02-30", "ends": "2027-03-01"}),
        "spec.run.starts in body must be of type date",
    ),
    "course that asks for itself": (
        course(prerequisites=[{"courseRef": "one"}]),
        "spec.prerequisites: Invalid value: a course cannot be its own prerequisite; take it out",
    ),
    "dates of a course it does not study": (
        cohort(dates=[{**DATES, "course": "algebra", "dates": {}}]),
        "spec.dates: Invalid value: every course in 'dates' must be one of 'courses'",
    ),
    "dates of nothing": (
        cohort(dates=[{"course": "statistics", "dates": {}}]),
        "spec.dates[0]: Invalid value: name either an 'assignment' or an 'exam'",
    ),
    "course named twice": (
        cohort(courses=["statistics", "statistics"]),
        "spec.courses[1]: Duplicate value",
    ),
    "no seats": (cohort(seats=0), "spec.seats: Invalid value"),
    "rule of every second": (
        cohort(
            schedule=[
                {"key": "m", "title": "M", "starts": "2027-01-01T10:00", "rrule": "FREQ=SECONDLY"}
            ]
        ),
        "spec.schedule[0].rrule: Invalid value",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_manifest_is_refused(cluster, namespace, case):
    (kind, name, spec), sentence = BAD[case]
    assert sentence in cluster.refusal(kind, namespace, name, spec)


class TestChange:
    @pytest.mark.parametrize("kind", ["ExamConfig", "QuestionPool"])
    def test_of_the_course_is_refused(self, cluster, namespace, kind):
        cluster.create(kind, namespace, "fixed", SPECS[kind])
        with pytest.raises(ApiException) as refusal:
            cluster.patch(kind, namespace, "fixed", {"spec": {"courseRef": "algebra"}})
        sentence = "spec.courseRef: Invalid value: courseRef cannot change; make a new"
        assert sentence in refusal.value.body


class TestDefaults:
    def test_are_written_out(self, cluster, namespace):
        made = cluster.create("Course", namespace, "plain", SPECS["Course"])
        spec = made["spec"]
        assert spec["deletionPolicy"] == "Retain"
        assert spec["adaptivity"] == {"remediationBelow": 80, "challengeFrom": 95}
        assert spec["timeZone"] == "UTC"


def keys(prefix, count):
    return [f"{prefix}{number}" for number in range(count)]


def largest_course():
    skills = [
        {"key": key, "title": key, "prerequisites": keys("skill", 8) if number > 7 else []}
        for number, key in enumerate(keys("skill", 80))
    ]
    chapters = [
        {"key": key, "title": key, "lessons": [{"key": f"{key}-l", "title": "L", "text": "x"}]}
        for key in keys("chapter", 40)
    ]
    categories = [{"key": key, "title": key, "weight": 6} for key in keys("category", 16)]
    categories[0]["weight"] = 10
    work = {"title": "W", "instructions": "x", "category": "category15", "points": 5}
    ask = [{"skill": key} for key in keys("skill", 16)]
    return {
        **SPECS["Course"],
        "skills": skills,
        "chapters": chapters,
        "gradeCategories": categories,
        "assignments": [{**work, "key": key} for key in keys("work", 40)],
        "gates": [{"chapter": chapter["key"], "requires": ask} for chapter in chapters],
        "prerequisites": [{"courseRef": name} for name in keys("course", 16)],
    }


def largest_pool():
    options = [{"key": key, "text": key} for key in keys("o", 12)]
    many = {**CHOICE, "type": "MultipleChoice", "options": options, "correct": keys("o", 12)}
    return {
        **SPECS["QuestionPool"],
        "questions": [{**many, "key": key} for key in keys("question", 200)],
    }


def largest_exam():
    window = {name: {"day": day, "time": "10:00"} for name, day in WINDOW.items()}
    draw = {"count": 1, "pools": keys("pool", 64), "skills": keys("skill", 16)}
    return {
        **SPECS["ExamConfig"],
        "zones": [{"key": key, "title": key, "draws": [draw] * 8} for key in keys("z", 20)],
        "overrides": [{"label": key, "dates": window} for key in keys("label", 20)],
        "dates": window,
    }


def largest_cohort():
    window = {name: {"day": day, "time": "10:00"} for name, day in WINDOW.items()}
    return {
        **SPECS["Cohort"],
        "courses": keys("course", 16),
        "dates": [{"course": "course15", "exam": e, "dates": window} for e in keys("exam", 100)],
    }


WINDOW = {"opens": 1, "due": 2, "closes": 3}
LARGEST = {
    "Course": largest_course,
    "QuestionPool": largest_pool,
    "ExamConfig": largest_exam,
    "Cohort": largest_cohort,
}


@pytest.mark.parametrize("kind", LARGEST)
def test_the_largest_lists_stay_within_the_budget_of_the_rules(cluster, namespace, kind):
    made = cluster.create(kind, namespace, "largest", LARGEST[kind]())
    assert made["metadata"]["generation"] == 1
