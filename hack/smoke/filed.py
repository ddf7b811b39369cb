"""An exam that is answered with a file, which a person downloads and grades."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from hack.smoke import manifests
from hack.smoke.person import Person, Unexpected, eventually
from hack.smoke.team import Team


@dataclass
class Filed:
    """One attempt of a learner who sends a drawing."""

    run: str
    learner: Person
    teacher: Person
    team: Team

    def review(self) -> dict[str, str]:
        """The file is sent, named and handed in; the teacher finds exactly it and grades it."""
        self.team.apply(manifests.own_work(self.run), manifests.filed_exam(self.run))
        path = f"/v1/exams/{self.run}-filed/attempts"

        def start() -> dict[str, Any] | None:
            found: dict[str, Any] = self.learner.call("POST", path, expect=(200, 201, 404, 409))
            return found if "questions" in found else None

        attempt = eventually("the attempt", start)["id"]
        data = f"<svg xmlns='http://www.w3.org/2000/svg'><!-- {self.run} --></svg>".encode()
        self._answer(attempt, data)
        self.learner.call("POST", f"/v1/attempts/{attempt}/submission")
        sheet_at = f"/v1/attempts/{attempt}/reviews/1"
        sheet = eventually("the file among what waits", lambda: self._claimed(sheet_at))
        (file,) = self.teacher.get(f"{sheet_at}/files")["items"]
        if self.teacher.http.get(file["url"]).content != data:
            raise Unexpected(f"the teacher reads another file than was sent: {file}")
        best = {
            one["key"]: {"level": max(one["levels"], key=lambda level: level["points"])["key"]}
            for one in sheet["rubric"]
        }
        self.teacher.call("PUT", f"{sheet_at}/grade", json={"seen": 0, "marks": best})
        score = eventually("the score", lambda: self._score(attempt))
        if Decimal(score["points"]) != Decimal(score["maxPoints"]):
            raise Unexpected(f"a file with full marks was graded {score}")
        return {"attempt": attempt, "version": str(file["versionId"])}

    def _answer(self, attempt: str, data: bytes) -> None:
        digest = hashlib.sha256(data).hexdigest()
        at = f"/v1/attempts/{attempt}/answers/1"
        body = {"name": "delays.svg", "size": len(data), "sha256": digest}
        offer = self.learner.call("POST", f"{at}/files", json=body)
        sent = self.learner.http.put(offer["url"], content=data, headers=offer["headers"])
        if sent.status_code != HTTPStatus.OK:
            raise Unexpected(f"the store answered {sent.status_code}: {sent.text[:600]}")
        self.learner.call("POST", f"{at}/files/{offer['id']}/stored")
        answer = {"files": [{"id": offer["id"], "sha256": digest}]}
        self.learner.call("PUT", at, json={"seq": 1, "answer": answer})

    def _claimed(self, sheet_at: str) -> dict[str, Any] | None:
        found = self.teacher.call("PUT", f"{sheet_at}/claim", expect=(200, 404, 409))
        return found if "rubric" in found else None

    def _score(self, attempt: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.learner.get(f"/v1/attempts/{attempt}/result")["score"]
        return found
