"""A learner with everything that a learner has, and the names of it."""

from __future__ import annotations

from datetime import UTC, datetime

from hack.smoke.journey import Journey
from hack.smoke.person import Person

PLAN = {"title": "Read", "timeZone": "UTC", "starts": f"{datetime.now(UTC).date()}T18:30"}
"""A plan of one's own."""


def lived_in(target):
    """Parameters that name what one learner and their tenant own, and the learner, logged in."""
    journey = Journey(target)
    done = list(journey.go())
    assert len(done) == len(journey.steps())
    run, learner = journey.run, Person(target.url, journey.learner.email, journey.learner.password)
    learner.log_in()
    goal = learner.call("POST", "/v1/profile/goals", json={"title": "Understand variance"})
    plan = learner.call("POST", "/v1/profile/plans", json=PLAN)
    feed = learner.get("/v1/notifications")["items"]
    sessions = learner.get("/v1/account/sessions")["items"]
    wish = {"name": "export", "permissions": ["course:study"], "lifetimeDays": 1}
    body = {**wish, "password": learner.password}
    token = learner.call("POST", "/v1/account/tokens", json=body)
    webhook, delivery = _webhook(learner)
    course = f"/v1/courses/{run}-course"
    lesson = learner.get(course)["chapters"][0]["lessons"][0]["key"]
    question = learner.get(f"{course}/lessons/{lesson}/practice")["items"][0]
    names = {
        "attempt": journey.facts["attempt"],
        "assignment": "report",
        "submission_id": journey.facts["submission"],
        "file_id": journey.facts["file"],
        "number": 1,
        "goal_id": goal["id"],
        "plan_id": plan["id"],
        "notification_id": feed[0]["id"],
        "session_id": sessions[0]["id"],
        "token_id": token["details"]["id"],
        "webhook_id": webhook,
        "delivery_id": delivery,
        "course": f"{run}-course",
        "cohort": f"{run}-cohort",
        "exam": f"{run}-quiz",
        "pool": f"{run}-pool",
        "lesson": lesson,
        "question": question["question"],
        "slot": journey.judged.facts["slot"],
        "attempt_id": journey.judged.facts["attempt"],
        "regrade_id": journey.judged.facts["regrade"],
        "learner": journey.facts["learner"],
        "learner_id": journey.facts["learner"],
        "user_id": journey.facts["learner"],
    }
    return names, learner


def _webhook(learner):
    """Ids of a webhook that nobody answers at, and of a delivery to it."""
    path, nowhere = "/v1/notifications/webhooks", "https://hooks.invalid/kourse"
    made = learner.call("POST", path, json={"url": nowhere})["webhook"]["id"]
    return made, learner.call("POST", f"{path}/{made}/test")["id"]


def some_answer(shown):
    """An answer of the kind that the question asks for, right or wrong."""
    ids = [entry["id"] for entry in shown["options"]]
    match shown["type"]:
        case "SingleChoice":
            return {"option": ids[0]}
        case "MultipleChoice":
            return {"options": ids[:1]}
        case "Ordering":
            return {"order": ids}
        case "Numeric":
            return {"value": "1"}
        case "Matching":
            pairs = zip(shown["lefts"], shown["rights"], strict=False)
            return {"pairs": {left["id"]: right["id"] for left, right in pairs}}
    return {"text": "perhaps"}
