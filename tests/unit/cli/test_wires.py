"""What a plan says of buckets and of the broker."""

from kourse.cli.wires import infrastructure
from support.courses import cohort_document, course_document


def said(kind, before, after, name="evening"):
    found = infrastructure(kind, name, before, after, tenant="demo", bucket_prefix="kourse")
    return [(one.change, one.what) for one in found]


class TestInfrastructure:
    def test_of_a_new_course_is_its_bucket_and_its_feed(self):
        found = said("Course", None, course_document(), "statistics")
        assert found[0] == ("create", "bucket kourse-demo-statistics")
        assert {change for change, _ in found} == {"create"}

    def test_does_not_change_with_content(self):
        assert said("Course", course_document(), course_document(title="Other")) == []

    def test_follows_the_courses_of_a_cohort(self):
        before = cohort_document(feed={"mode": "Enabled"})
        found = said("Cohort", before, before | {"courses": ["algebra"]})
        assert {change for change, what in found if "algebra" in what} == {"create"}
        assert {change for change, what in found if "statistics" in what} == {"remove"}

    def test_shows_a_feed_that_is_taken_away(self):
        before = cohort_document(feed={"mode": "Enabled"})
        found = said("Cohort", before, cohort_document(feed={"mode": "Disabled"}))
        assert ("remove", "binding") in {(change, what.split()[0]) for change, what in found}

    def test_takes_a_document_that_no_longer_is_one_for_nothing(self):
        found = said("Course", {"title": ""}, course_document(), "statistics")
        assert found[0] == ("create", "bucket kourse-demo-statistics")
