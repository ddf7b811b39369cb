"""The manifests of one smoke: a small course of its own, cut from the sample course.

Every run has its own names, so runs do not disturb each other or the demo.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

SAMPLES = Path(__file__).resolve().parents[2] / "manifests" / "samples"
POOL = "statistics-describing-data"
POOL_QUESTIONS = 12
ESSAYS = "statistics-claims"
PROGRAMS = "statistics-programs"
FILES = "statistics-own-work"
MISKEYED = "kind-of-postcode"
"""A question of the first chapter whose key is wrong at first."""
MAIN_LESSONS = 3


def _documents() -> list[dict[str, Any]]:
    found = []
    for path in sorted(SAMPLES.rglob("*.yaml")):
        found += [document for document in yaml.safe_load_all(path.read_text()) if document]
    return found


def _first(documents: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return copy.deepcopy(next(document for document in documents if document["kind"] == kind))


def _resource(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "kourse.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def course(run: str, *, revision: int = 1) -> dict[str, Any]:
    """The first chapter of the sample as a course of its own; each revision has other content."""
    spec = _first(_documents(), "Course")["spec"]
    chapter = spec["chapters"][0]
    lessons = _with_main(chapter["lessons"], MAIN_LESSONS)
    for lesson in lessons:
        lesson["practice"] = [{"pool": f"{run}-pool"}]
    if revision > 1:
        lessons[0]["text"] += f"\n\nRevision {revision} of this lesson.\n"
    keep = ("level", "language", "skills", "gradeCategories", "gradeBands", "adaptivity", "badges")
    kept = {name: spec[name] for name in keep if name in spec}
    title = f"Smoke {run}" if revision == 1 else f"Smoke {run}, revision {revision}"
    body = {
        "title": title,
        "summary": spec["summary"],
        "enrolment": "Cohort",
        "visibility": "Unlisted",
        "assignments": [_report(spec["assignments"][0])],
    }
    chapters = [{**chapter, "lessons": lessons}]
    return _resource("Course", f"{run}-course", {**kept, **body, "chapters": chapters})


def _report(sample: dict[str, Any]) -> dict[str, Any]:
    """The sample's first assignment, due long ago, so that lateness takes all that it may: a fifth."""
    keep = ("title", "kind", "category", "points", "rubric", "instructions")
    return {
        **{name: sample[name] for name in keep},
        "key": "report",
        "dates": {"due": {"at": "2026-01-05T12:00:00Z"}},
        "latePolicy": {"percentPerDay": 10, "maxPercent": 20},
        "release": "Manual",
    }


def _with_main(lessons: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The first lessons up to so many of the main path, those beside it included."""
    ends = [at for at, lesson in enumerate(lessons) if lesson.get("path", "Main") == "Main"]
    return lessons[: ends[count - 1] + 1]


def _pool_spec(name: str) -> dict[str, Any]:
    pools = [one for one in _documents() if one["metadata"]["name"] == name]
    spec: dict[str, Any] = _first(pools, "QuestionPool")["spec"]
    return spec


def pool(run: str) -> dict[str, Any]:
    """Questions of the sample's first chapter."""
    questions = _pool_spec(POOL)["questions"][:POOL_QUESTIONS]
    body = {"title": f"Smoke {run}", "courseRef": f"{run}-course", "questions": questions}
    return _resource("QuestionPool", f"{run}-pool", body)


def quiz(run: str) -> dict[str, Any]:
    """A quiz of five questions that is open now."""
    spec = _first(_documents(), "ExamConfig")["spec"]
    draws = [{"pools": [f"{run}-pool"], "count": 5, "points": 2}]
    body = {
        "title": f"Smoke quiz {run}",
        "courseRef": f"{run}-course",
        "purpose": "Quiz",
        "category": spec["category"],
        "passMark": 50,
        "zones": [{"key": "all", "title": "All", "draws": draws}],
        "timeLimitMinutes": 30,
        "attempts": {"maximum": 2},
        "release": {"scores": "AtGrading", "answers": "AtGrading"},
    }
    return _resource("ExamConfig", f"{run}-quiz", body)


def claims(run: str, *, right: bool = False) -> dict[str, Any]:
    """An essay, and a question of one choice whose key is wrong until it is corrected."""
    essay = _pool_spec(ESSAYS)["questions"][0]
    body = {
        "title": f"Claims {run}",
        "courseRef": f"{run}-course",
        "questions": [{**essay, "skills": []}, miskeyed(right=right)],
    }
    return _resource("QuestionPool", f"{run}-claims", body)


def miskeyed(*, right: bool) -> dict[str, Any]:
    """The question with its own key, or with the first other option as its key."""
    question = next(one for one in _pool_spec(POOL)["questions"] if one["key"] == MISKEYED)
    wrong = next(one["key"] for one in question["options"] if one["key"] not in question["correct"])
    return question if right else {**question, "correct": [wrong]}


def own_work(run: str) -> dict[str, Any]:
    """The sample's question that is answered with files."""
    (question, *_) = _pool_spec(FILES)["questions"]
    body = {
        "title": f"Own work {run}",
        "courseRef": f"{run}-course",
        "questions": [{**question, "skills": []}],
    }
    return _resource("QuestionPool", f"{run}-own-work", body)


def filed_exam(run: str) -> dict[str, Any]:
    """An exam of that question alone, that nothing closes."""
    draws = [{"pools": [f"{run}-own-work"], "count": 1, "points": 5}]
    body = {
        **judged_exam(run)["spec"],
        "title": f"Smoke own work {run}",
        "zones": [{"key": "all", "title": "All", "draws": draws}],
    }
    return _resource("ExamConfig", f"{run}-filed", body)


def judged_exam(run: str) -> dict[str, Any]:
    """An exam of both, five points each, that nothing closes."""
    body = {
        "title": f"Smoke claims {run}",
        "courseRef": f"{run}-course",
        "purpose": "Quiz",
        "category": quiz(run)["spec"]["category"],
        "passMark": 50,
        "zones": [
            {
                "key": "all",
                "title": "All",
                "draws": [{"pools": [f"{run}-claims"], "count": 2, "points": 5}],
            }
        ],
        "attempts": {"maximum": 1},
        "release": {"scores": "AtGrading", "answers": "AtGrading"},
    }
    return _resource("ExamConfig", f"{run}-judged", body)


def programs(run: str) -> dict[str, Any]:
    """A question that asks for a program, its first in the sample."""
    question = {**_pool_spec(PROGRAMS)["questions"][0], "skills": []}
    body = {"title": f"Programs {run}", "courseRef": f"{run}-course", "questions": [question]}
    return _resource("QuestionPool", f"{run}-programs", body)


def programmed_exam(run: str) -> dict[str, Any]:
    """An exam of that one, six points, that nothing closes."""
    exam = judged_exam(run)
    draws = [{"pools": [f"{run}-programs"], "count": 1, "points": 6}]
    zones = [{"key": "all", "title": "All", "draws": draws}]
    body = {**exam["spec"], "title": f"Smoke programs {run}", "zones": zones}
    return _resource("ExamConfig", f"{run}-programmed", body)


def true_answers(run: str) -> dict[str, dict[str, Any]]:
    """The questions of that exam by prompt, with the keys that are right."""
    found = claims(run, right=True)["spec"]["questions"]
    return {question["prompt"].strip(): question for question in found}


def cohort(run: str) -> dict[str, Any]:
    """A cohort that studies the course for ten years."""
    body = {
        "title": f"Smoke {run}",
        "courses": [f"{run}-course"],
        "run": {"starts": "2026-01-01", "ends": "2035-12-31", "timeZone": "Europe/Lisbon"},
        "schedule": [
            {
                "key": "class",
                "title": f"Class {run}",
                "starts": "2026-01-05T18:30",
                "minutes": 90,
                "rrule": "FREQ=WEEKLY;BYDAY=MO",
            }
        ],
    }
    return _resource("Cohort", f"{run}-cohort", body)


def notes(run: str) -> dict[str, Any]:
    """A small course as a draft, for an author to write through the API: the document alone."""
    lesson = {"key": "first", "title": "To be written", "text": "Nothing yet."}
    return {
        "title": f"Notes {run}",
        "summary": "Written through the API.",
        "visibility": "Unlisted",
        "lifecycle": "Draft",
        "chapters": [{"key": "start", "title": "Start", "lessons": [lesson]}],
    }


def answers(run: str) -> dict[str, dict[str, Any]]:
    """The smoke's questions by prompt, for a learner who knows the subject."""
    return {question["prompt"].strip(): question for question in pool(run)["spec"]["questions"]}
