"""Plans are pure: the same spec gives the same bucket, exchanges, queues and bindings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts import names
from kourse.contracts.resources import BY_KIND
from kourse_operator import plans
from kourse_operator.plans.steps import Binding, Bucket, Exchange, Queue, Subject
from support.operator_fakes import SPECS


def spec(kind, **changes):
    return BY_KIND[kind].spec.model_validate({**SPECS[kind], **changes})


def plan(kind, status=None, **changes):
    return plans.plan(kind, Subject("demo", "one", "kourse", status or {}), spec(kind, **changes))


class TestCourse:
    def test_has_a_bucket_and_a_feed(self):
        made = plan("Course")
        assert made.bucket == Bucket("kourse-demo-one")
        assert made.wires == (
            Exchange("kourse.course.demo.one"),
            Binding("kourse.events", "kourse.course.demo.one", "exchange", "*.*.*.demo.one.*.*"),
        )
        assert made.status == {"bucket": "kourse-demo-one"}

    def test_takes_its_bucket_along_when_it_goes(self):
        made = plans.removal("Course", Subject("demo", "one"))
        assert made.bucket == Bucket("kourse-demo-one")
        assert made.cut == (Exchange("kourse.course.demo.one"),)


class TestExam:
    def test_is_bound_to_every_queue_of_graders_by_its_id(self):
        exam = str(names.declared_id("demo", "ExamConfig", "one"))
        made = plan("ExamConfig")
        assert [(wire.source, wire.destination, wire.arguments) for wire in made.wires] == [
            ("kourse.grading", queue, {"x-match": "all", "exam": exam})
            for queue in names.GRADING_QUEUES
        ]
        assert made.bucket is None

    def test_refers_to_its_course_and_pools(self):
        assert plans.references("ExamConfig", spec("ExamConfig")) == {
            ("Course", "statistics"),
            ("QuestionPool", "bank"),
        }


class TestCohort:
    def test_has_a_queue_that_never_stops_anybody(self):
        queue = plan("Cohort", feed={"maxMessages": 5, "ttlHours": 1}).wires[0]
        assert isinstance(queue, Queue)
        assert queue.arguments == {
            "x-queue-type": "classic",
            "x-message-ttl": 3_600_000,
            "x-max-length": 5,
            "x-overflow": "drop-head",
            "x-dead-letter-exchange": names.DEAD_LETTER_EXCHANGE,
        }

    def test_is_fed_its_own_and_course_wide_events(self):
        made = plan("Cohort", courses=["algebra", "statistics"])
        assert [(wire.source, wire.key) for wire in made.wires[1:]] == [
            ("kourse.course.demo.algebra", "*.*.*.demo.algebra.one.*"),
            ("kourse.course.demo.algebra", "*.*.*.demo.algebra._.*"),
            ("kourse.course.demo.statistics", "*.*.*.demo.statistics.one.*"),
            ("kourse.course.demo.statistics", "*.*.*.demo.statistics._.*"),
        ]

    def test_cuts_courses_it_no_longer_studies(self):
        made = plan("Cohort", status={"courses": ["algebra", "statistics"]})
        assert {wire.source for wire in made.cut} == {"kourse.course.demo.algebra"}
        assert made.status["courses"] == ["statistics"]

    def test_has_no_queue_when_the_feed_is_disabled(self):
        made = plan("Cohort", feed={"mode": "Disabled"})
        assert made.wires == ()
        assert made.cut == (Queue("kourse.cohort.demo.one"),)
        assert made.status["feedQueue"] is None


class TestEveryKind:
    @pytest.mark.parametrize("kind", BY_KIND)
    def test_removal_is_known_without_a_spec(self, kind):
        made = plans.removal(kind, Subject("demo", "one"))
        assert not made.wires

    @pytest.mark.parametrize("kind", BY_KIND)
    def test_plan_is_deterministic(self, kind):
        assert plan(kind) == plan(kind)

    @given(tenant=st.from_regex(r"[a-z0-9]{1,63}", fullmatch=True), name=st.just("n" * 63))
    def test_bucket_names_are_short_enough(self, tenant, name):
        made = plans.plan("Course", Subject(tenant, name, "kourse"), spec("Course"))
        assert len(made.bucket.name) <= 63
