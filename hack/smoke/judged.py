"""An exam that people judge: an essay by its rubric, and a key that was wrong by a regrade."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hack.smoke import manifests
from hack.smoke.knowledge import right_answer
from hack.smoke.person import Person, Unexpected, eventually
from hack.smoke.team import Team


@dataclass
class Judged:
    """One attempt of a learner who answers rightly, though one key says otherwise."""

    run: str
    learner: Person
    teacher: Person
    team: Team
    facts: dict[str, Any] = field(default_factory=dict)

    def review(self) -> dict[str, str]:
        """The essay waits for a person; with its grade the score is there, the wrong key's points are not."""
        attempt = self._sit()
        found = eventually("the essay among what waits", self._waiting)
        self.facts["slot"] = found["slot"]
        sheet_at = f"/v1/attempts/{attempt}/reviews/{found['slot']}"
        if self._result()["score"] is not None:
            raise Unexpected("there is a score although a person has yet to look")
        sheet = self.teacher.call("PUT", f"{sheet_at}/claim")
        best = {
            one["key"]: {"level": max(one["levels"], key=lambda level: level["points"])["key"]}
            for one in sheet["rubric"]
        }
        body = {"seen": 0, "marks": best, "comment": "Well argued."}
        self.teacher.call("PUT", f"{sheet_at}/grade", json=body)
        score = self._score()
        if Decimal(score["points"]) * 2 != Decimal(score["maxPoints"]):
            raise Unexpected(f"a full essay beside a wrong key was graded {score}")
        return {"attempt": attempt, "points": f"{score['points']}/{score['maxPoints']}"}

    def correct(self) -> dict[str, str]:
        """The corrected key is shown as a difference first, then applied, and the learner gains."""
        self.team.apply(manifests.claims(self.run, right=True))
        eventually("the corrected key", self._is_corrected)
        body = {
            "corrections": [{"pool": f"{self.run}-claims", "question": manifests.MISKEYED}],
            "reason": "The key named a wrong option.",
        }
        planned = self.teacher.call("POST", f"/v1/exams/{self.run}-judged/regrades", json=body)
        self.facts["regrade"] = planned["id"]
        path = f"/v1/regrades/{planned['id']}"
        (change,) = self.teacher.get(f"{path}/changes")["items"]
        if change["after"] != change["maxPoints"] or self._score()["points"] != change["before"]:
            raise Unexpected(f"before it is applied a regrade shows {change}")
        self.teacher.call("POST", f"{path}/application")
        eventually("the regrade", lambda: self.teacher.get(path)["state"] == "APPLIED")
        score = self._score()
        if score["points"] != change["after"]:
            raise Unexpected(f"the regrade promised {change} and left {score}")
        told = self.learner.get(f"/v1/courses/{self.run}-course/gradebook/explanation")
        return {"regrade": planned["id"], "total": told["sentence"]}

    def _sit(self) -> str:
        """The attempt, handed in: a text for the essay, and what is right for the other question."""
        declared = manifests.true_answers(self.run)
        path = f"/v1/exams/{self.run}-judged/attempts"

        def start() -> dict[str, Any] | None:
            found: dict[str, Any] = self.learner.call("POST", path, expect=(200, 201, 404, 409))
            return found if "questions" in found else None

        attempt = eventually("the attempt", start)
        for item in attempt["questions"]:
            answer = (
                {"text": "Fewer people may cycle; compare injuries for each kilometre."}
                if item["type"] == "Essay"
                else right_answer(item, declared[item["prompt"].strip()])
            )
            at = f"/v1/attempts/{attempt['id']}/answers/{item['slot']}"
            self.learner.call("PUT", at, json={"seq": 1, "answer": answer})
        self.learner.call("POST", f"/v1/attempts/{attempt['id']}/submission")
        self.facts["attempt"] = attempt["id"]
        return str(attempt["id"])

    def _waiting(self) -> dict[str, Any] | None:
        queue = self.teacher.get(f"/v1/exams/{self.run}-judged/reviews?waiting=true")["items"]
        return queue[0] if queue else None

    def _result(self) -> dict[str, Any]:
        found: dict[str, Any] = self.learner.get(f"/v1/attempts/{self.facts['attempt']}/result")
        return found

    def _score(self) -> dict[str, Any]:
        score: dict[str, Any] = eventually("the score", lambda: self._result()["score"])
        return score

    def _is_corrected(self) -> bool:
        found = self.teacher.get(f"/v1/authoring/pools/{self.run}-claims")["spec"]["questions"]
        one = next(one for one in found if one["key"] == manifests.MISKEYED)
        declared: bool = one["correct"] == manifests.miskeyed(right=True)["correct"]
        return declared
