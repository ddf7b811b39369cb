"""What is content and what is policy; digests; ids that outlast versions."""

from uuid import UUID

import pytest

from kourse.contracts.events import AssignmentChanged
from kourse.contracts.resources import CourseSpec
from kourse.course.domain import announcements, content, parts
from support.courses import CSV_SHA256, course_document, course_spec, with_assets

COURSE_ID = UUID(int=1)


def changed(path, value):
    document = course_document()
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return CourseSpec.model_validate(document)


class TestDigestOf:
    def test_is_stable_for_ever(self):
        # A change of this value gives every course everywhere a new version.
        digest = content.digest_of(CourseSpec.model_validate(MINIMAL))
        assert digest == "db5ae6d6ff896f404c9e9381eea9eff0ef65cc4ca9beaaa6c3d54a488fafd326"

    def test_does_not_count_values_that_equal_the_default(self):
        said = course_spec(language="en", tags=[])
        assert content.digest_of(said) == content.digest_of(course_spec())

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (["visibility"], "Unlisted"),
            (["enrolment"], "Closed"),
            (["lifecycle"], "Draft"),
            (["deletionPolicy"], "Delete"),
            (["prerequisites"], [{"courseRef": "algebra"}]),
            (["completion"], {"lessonsPercent": 50}),
            (["atRisk"], {"inactiveDays": 3}),
            (["gates"], [{"chapter": "data", "requires": [{"lesson": "tables"}]}]),
            (["assignments", 0, "dates"], {"due": {"day": 30}}),
            (["assignments", 0, "latePolicy"], {"graceMinutes": 5}),
            (["assignments", 0, "maxSizeMib"], 5),
            (["assignments", 0, "extensions"], ["pdf"]),
        ],
    )
    def test_is_the_same_whatever_policy_says(self, path, value):
        assert content.digest_of(changed(path, value)) == content.digest_of(course_spec())

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            (["title"], "Other"),
            (["timeZone"], "Pacific/Auckland"),
            (["chapters", 0, "lessons", 0, "text"], "Other."),
            (["chapters", 0, "lessons", 0, "practice"], [{"pool": "p"}]),
            (["skills", 0, "parameters"], {"prior": 40}),
            (["assignments", 0, "points"], 11),
            (["gradeBands"], [{"label": "A", "fromPercent": 90}]),
            (["adaptivity"], {"remediationBelow": 70}),
        ],
    )
    def test_changes_with_what_learners_read_or_are_graded_by(self, path, value):
        assert content.digest_of(changed(path, value)) != content.digest_of(course_spec())


MINIMAL = {
    "title": "T",
    "summary": "S",
    "chapters": [
        {"key": "c", "title": "C", "lessons": [{"key": "l", "title": "L", "text": "Text: ä."}]}
    ],
}


class TestContentOf:
    def test_can_be_read_back_as_a_spec(self):
        spec = course_spec()
        again = CourseSpec.model_validate(content.content_of(spec))
        assert content.digest_of(again) == content.digest_of(spec)

    def test_holds_no_policy(self):
        found = content.content_of(course_spec())
        assert "visibility" not in found
        assert "dates" not in found["assignments"][0]


class TestParts:
    def test_give_a_lesson_the_same_id_in_any_chapter(self):
        document = course_document()
        moved = course_document()
        moved["chapters"][1]["lessons"].append(moved["chapters"][0]["lessons"].pop())

        def ids(found):
            rows = parts.version_parts(COURSE_ID, CourseSpec.model_validate(found))["lesson"]
            return {row["key"]: row["id"] for row in rows}

        assert ids(document) == ids(moved)

    def test_number_lessons_through_the_whole_course(self):
        rows = parts.version_parts(COURSE_ID, course_spec())["lesson"]
        assert [row["position"] for row in rows] == [0, 1, 2, 3]


class TestAssetsOf:
    def test_lists_texts_and_files_by_path(self):
        spec = CourseSpec.model_validate(with_assets())
        found = content.assets_of(spec)
        assert list(found) == ["assets/trips.csv", "lessons/dice.md"]
        assert found["assets/trips.csv"].sha256 == CSV_SHA256


def assignments_of(spec):
    return announcements.assignments(COURSE_ID, "statistics", spec, content.policy_of(spec))


class TestAnnouncements:
    def test_tell_siblings_what_they_replicate(self):
        event = announcements.published(
            COURSE_ID, "statistics", course_spec(), version=3, digest="d"
        )
        assert (event.version, event.time_zone) == (3, "Europe/Lisbon")
        assert [skill.prior for skill in event.skills] == [0.3, 0.3]
        assert [lesson.chapter for lesson in event.lessons] == ["data", "data", "chance", "chance"]
        assert event.categories[0].weight == 100

    def test_tell_where_the_bands_of_mastery_meet(self):
        spec = changed(["adaptivity"], {"remediationBelow": 70, "challengeFrom": 90})
        event = announcements.published(COURSE_ID, "statistics", spec, version=1, digest="d")
        assert (event.remediation_below, event.challenge_from) == (0.7, 0.9)

    def test_name_only_assignments_that_are_new(self):
        work = assignments_of(course_spec())

        (event,) = announcements.assignment_news({}, work)

        assert (event.assignment, event.due_at) == ("report", None)
        assert announcements.assignment_news(work, work) == []

    def test_name_assignments_with_another_date(self):
        before = assignments_of(course_spec())
        after = assignments_of(changed(["assignments", 0, "dates"], {"due": {"day": 20}}))

        (event,) = announcements.assignment_news(before, after)

        assert isinstance(event, AssignmentChanged)
        assert (event.dates.due.day, event.withdrawn) == (20, False)

    def test_name_assignments_that_were_withdrawn(self):
        (event,) = announcements.assignment_news(assignments_of(course_spec()), {})

        assert (event.assignment, event.withdrawn) == ("report", True)
