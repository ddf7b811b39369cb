"""The store finds objects by key, by declared identity and by what refers to them."""

from kourse_operator.engine.store import Store
from support.operator_fakes import resource


def store():
    return Store(lambda namespace: {"north": "school"}.get(namespace, namespace))


class TestNamed:
    def test_finds_by_tenant_kind_and_name(self):
        kept = store()
        kept.put(resource(namespace="north"))
        assert [item.key.namespace for item in kept.named(("school", "Course", "statistics"))] == [
            "north"
        ]

    def test_puts_the_oldest_first(self):
        kept = store()
        kept.put(resource(namespace="north", created="2026-11-22T10:00:01Z"))
        kept.put(resource(namespace="school", created="2026-11-22T10:00:00Z"))
        found = kept.named(("school", "Course", "statistics"))
        assert [item.key.namespace for item in found] == ["school", "north"]

    def test_finds_nothing_after_a_drop(self):
        kept = store()
        one = resource()
        kept.put(one)
        kept.drop(one.key)
        assert kept.named(("demo", "Course", "statistics")) == []
        assert len(kept) == 0


class TestDependants:
    def test_are_those_that_refer_to_it(self):
        kept = store()
        course, cohort = resource(), resource("Cohort", "lisbon")
        kept.put(course)
        kept.put(cohort)
        kept.refer(cohort.key, frozenset({("Course", "statistics")}))
        assert kept.dependants(course.key) == [cohort.key]

    def test_change_with_the_references(self):
        kept = store()
        course, cohort = resource(), resource("Cohort", "lisbon")
        kept.refer(cohort.key, frozenset({("Course", "statistics")}))
        kept.refer(cohort.key, frozenset({("Course", "algebra")}))
        assert kept.dependants(course.key) == []

    def test_never_cross_tenants(self):
        kept = store()
        cohort = resource("Cohort", "lisbon", namespace="elsewhere")
        kept.refer(cohort.key, frozenset({("Course", "statistics")}))
        assert kept.dependants(resource().key) == []
