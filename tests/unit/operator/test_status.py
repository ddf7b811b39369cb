"""The status is patched as little as possible, and events tell transitions only."""

from kourse_operator.engine.status import announcement, assembled, difference


def ready(status, reason="R", message="m", generation=1):
    item = {"type": "Ready", "status": status, "reason": reason, "message": message}
    return {"conditions": [{**item, "observedGeneration": generation}]}


class TestAssembled:
    def test_leaves_out_what_the_kind_does_not_have(self):
        assert assembled("QuestionPool", {}, {"version": 1, "learners": 3}) == {"version": 1}

    def test_leaves_out_nulls(self):
        assert assembled("Cohort", {"feedQueue": "q"}, {"feedQueue": None}) == {}

    def test_keeps_what_nobody_spoke_of(self):
        assert assembled("Course", {"learners": 3}, {"version": 2}) == {"learners": 3, "version": 2}


class TestDifference:
    def test_is_empty_for_equal_statuses(self):
        assert difference({"a": [1]}, {"a": [1]}) == {}

    def test_removes_with_null(self):
        assert difference({"a": 1, "b": 2}, {"b": 3}) == {"a": None, "b": 3}


class TestAnnouncement:
    def test_tells_readiness_once(self):
        assert announcement({}, ready("True")) == ("Normal", "R", "m")
        assert announcement(ready("True"), ready("True")) is None

    def test_tells_a_new_generation_that_is_ready(self):
        assert announcement(ready("True"), ready("True", generation=2)) is not None

    def test_warns_when_the_message_changes(self):
        assert announcement(ready("False"), ready("False")) is None
        told = announcement(ready("False"), ready("False", "S", "n"))
        assert told == ("Warning", "S", "n")

    def test_says_nothing_of_progress(self):
        assert announcement(ready("True"), ready("Unknown")) is None
