"""Names: stable, within the limits of what carries them."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts import names
from kourse.contracts.events import EnrolmentCreated, ScoreReleased, UserRegistered

labels = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
LEARNER = UUID(int=7)


class TestBucket:
    @given(tenant=labels, course=labels)
    def test_is_a_valid_bucket_name(self, tenant, course):
        bucket = names.bucket("kourse", tenant, course)

        assert 3 <= len(bucket) <= 63
        assert bucket[0].isalnum()
        assert bucket[-1].isalnum()

    def test_differs_where_joined_names_would_collide(self):
        long = "x" * 60

        assert names.bucket("kourse", long + "a", "b") != names.bucket("kourse", long, "a-b")

    @given(words=st.lists(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True), min_size=3, max_size=6))
    def test_is_of_one_course_of_one_tenant(self, words):
        pairs = [("-".join(words[:n]), "-".join(words[n:])) for n in range(1, len(words))]

        assert len({names.bucket("kourse", *pair) for pair in pairs}) == len(pairs)

    @given(tenant=labels, course=labels)
    def test_cannot_be_forged_by_a_course_named_like_its_end(self, tenant, course):
        whole = names.bucket("kourse", tenant, course)
        forger, _, rest = whole.removeprefix("kourse-").partition("-")

        assert (forger, rest) == (tenant, course) or names.bucket("kourse", forger, rest) != whole


class TestPartition:
    @given(entity=st.uuids())
    def test_is_one_of_sixteen(self, entity):
        assert 0 <= names.partition(str(entity)) < 16

    def test_never_changes(self):
        assert names.partition("00000000-0000-0000-0000-000000000007") == 10


class TestDeclaredId:
    def test_never_changes(self):
        made = names.declared_id("demo", "Course", "statistics")

        assert str(made) == "0bb3882b-4b8d-5cbc-9572-8d59a4b9a7b5"

    def test_differs_between_tenants_and_kinds(self):
        ids = {
            names.declared_id(tenant, kind, "statistics")
            for tenant in ("demo", "other")
            for kind in ("Course", "Cohort")
        }

        assert len(ids) == 4


class TestRoutingKey:
    def test_of_an_event_without_a_course_goes_to_no_feed(self):
        event = UserRegistered(user_id=LEARNER, display_name="Ana")

        assert event.routing_key("demo") == "identity.user.registered.demo._._.p10"

    def test_of_a_learner_outside_cohorts_matches_no_cohorts_feed(self):
        event = EnrolmentCreated(
            enrolment_id=LEARNER, learner_id=LEARNER, course_id=LEARNER, course="statistics"
        )

        assert event.routing_key("demo") == "course.enrolment.created.demo.statistics.-.p10"

    def test_of_a_private_event_names_no_course(self):
        event = ScoreReleased(
            attempt_id=LEARNER,
            exam_id=LEARNER,
            exam="quiz",
            course_id=LEARNER,
            course="statistics",
            learner_id=LEARNER,
            title="Quiz",
            run=1,
            points="9",
            max_points="10",
            percent=90,
            passed=True,
        )

        assert event.routing_key("demo") == "assessment.score.released.demo._._.p10"
