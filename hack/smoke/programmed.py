"""An exam that asks for a program, which is run against tests."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hack.smoke.person import Person, Unexpected, eventually

SLIPSHOD = """\
delays = sorted(int(word) for word in input().split())
print(float(delays[len(delays) // 2]))
"""
"""Takes the upper of the two in the middle: right for an odd number of delays, half of the weight."""


@dataclass
class Programmed:
    """One attempt of a learner whose program is right for half of the tests."""

    run: str
    learner: Person

    def sit(self) -> dict[str, str]:
        """The program is run, earns its part, and what hidden tests read stays unknown."""
        path = f"/v1/exams/{self.run}-programmed/attempts"

        def start() -> dict[str, Any] | None:
            found: dict[str, Any] = self.learner.call("POST", path, expect=(200, 201, 404, 409))
            return found if "questions" in found else None

        attempt = eventually("the attempt", start)
        at = f"/v1/attempts/{attempt['id']}"
        body = {"seq": 1, "answer": {"source": SLIPSHOD}}
        self.learner.call("PUT", f"{at}/answers/1", json=body)
        self.learner.call("POST", f"{at}/submission")
        result = eventually("the program's score", lambda: self._scored(at))
        score, (shown,) = result["score"], result["review"]
        if Decimal(score["points"]) * 2 != Decimal(score["maxPoints"]):
            raise Unexpected(f"a program that passes half of its tests was graded {result}")
        if any(one["hidden"] and one["stdin"] is not None for one in shown["tests"]):
            raise Unexpected(f"a hidden test is shown: {shown['tests']}")
        passed = sum(one["outcome"] == "passed" for one in shown["tests"])
        return {
            "points": f"{score['points']}/{score['maxPoints']}",
            "tests passed": f"{passed}/{len(shown['tests'])}",
        }

    def _scored(self, at: str) -> dict[str, Any] | None:
        found: dict[str, Any] = self.learner.get(f"{at}/result")
        return found if found["score"] is not None else None
