"""When an object of the sample course counts as live."""

from hack.stack.sample import readiness


def course(generation=2, observed=2, status="True"):
    ready = {"type": "Ready", "status": status, "reason": "AssetsMissing", "message": "a.svg"}
    return {
        "kind": "Course",
        "metadata": {"name": "statistics", "generation": generation},
        "status": {"observedGeneration": observed, "conditions": [ready]},
    }


class TestReadiness:
    def test_is_nothing_to_say_about_what_is_live(self):
        assert readiness(course()) == ""

    def test_waits_until_the_operator_has_seen_the_newest_generation(self):
        assert readiness(course(observed=1)) == "Course statistics: the operator has not seen it"
        untouched = {**course(), "status": {}}
        assert readiness(untouched) == "Course statistics: the operator has not seen it"

    def test_says_why_something_is_not_live(self):
        assert readiness(course(status="False")) == "Course statistics: AssetsMissing: a.svg"
