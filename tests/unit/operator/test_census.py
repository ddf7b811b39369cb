"""Objects are counted by condition, and an exam that opens soon without being ready is noticed."""

from datetime import UTC, datetime

import pytest

from kourse_operator.census import Census
from kourse_operator.engine.store import Store
from support.operator_fakes import COURSE, EXAM, resource

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOT_READY = {"conditions": [{"type": "Ready", "status": "False"}]}
READY = {"conditions": [{"type": "Ready", "status": "True"}]}


@pytest.fixture
def store():
    return Store(str)


def exam(opens, status):
    return resource("ExamConfig", "quiz", spec=EXAM | {"dates": {"opens": opens}}, status=status)


def counted(store, name):
    families = {family.name: family for family in Census(store, lambda: NOW).collect()}
    return {tuple(one.labels.values()): one.value for one in families[name].samples}


def late(store):
    return counted(store, "kourse_operator_exams_late")


class TestConditions:
    def test_are_counted_by_kind_and_never_by_name(self, store):
        store.put(resource(name="one", status=READY))
        store.put(resource(name="two", status=READY))
        found = counted(store, "kourse_operator_resource_condition")
        assert found == {("Course", "demo", "Ready", "True"): 2}


class TestLateExam:
    @pytest.mark.parametrize(
        ("opens", "expected"),
        [
            ({"at": "2026-11-24T11:00"}, 1),
            ({"at": "2026-11-20T08:00"}, 1),
            ({"at": "2026-11-24T13:00"}, 0),
            ({"at": "2026-02-30T08:00"}, 1),
            ({"day": 3}, 0),
        ],
        ids=["within-a-day", "open-already", "later", "no-such-day", "by-run"],
    )
    def test_is_one_that_opens_within_a_day_and_is_not_ready(self, store, opens, expected):
        store.put(exam(opens, NOT_READY))
        assert late(store) == {("demo",): expected}

    def test_is_none_once_it_is_ready(self, store):
        store.put(exam({"at": "2026-11-24T11:00"}, READY))
        assert late(store) == {("demo",): 0}

    def test_opens_by_the_clock_of_its_course(self, store):
        store.put(resource(spec=COURSE | {"timeZone": "America/Lima"}))
        store.put(exam({"at": "2026-11-24T08:00"}, NOT_READY))
        assert late(store) == {("demo",): 0}
