"""What differs between two specs."""

from kourse.rules.changes import differences
from support.courses import course_spec, lesson
from support.exams import exam_spec, pool_spec, single


def changed(edit):
    """Differences from the small course to one that was edited."""
    from support.courses import course_document

    document = course_document()
    edit(document)
    return [tuple(one) for one in differences(course_spec(), course_spec(**document))]


class TestDifferences:
    def test_are_none_between_equals(self):
        assert differences(course_spec(), course_spec()) == []

    def test_do_not_count_a_default_that_is_written_out(self):
        assert changed(lambda spec: spec.update(visibility="Listed")) == []

    def test_name_a_field_with_both_values(self):
        assert changed(lambda spec: spec.update(title="Other")) == [
            ("spec.title", "Statistics", "Other")
        ]

    def test_find_entries_by_their_key_wherever_they_stand(self):
        def edit(spec):
            spec["chapters"][0]["lessons"].insert(0, lesson("new"))
            spec["chapters"][0]["lessons"][1]["title"] = "Other"

        paths = [path for path, *_ in changed(edit)]
        assert paths == [
            "spec.chapters[data].lessons[tables].title",
            "spec.chapters[data].lessons[new]",
        ]

    def test_show_an_entry_that_went_as_it_was(self):
        ((path, before, after),) = changed(lambda spec: spec["chapters"][1]["lessons"].pop())
        assert (path, before["key"], after) == ("spec.chapters[chance].lessons[dice]", "dice", None)

    def test_show_a_new_order_by_keys(self):
        assert changed(lambda spec: spec["chapters"].reverse()) == [
            ("spec.chapters", ["data", "chance"], ["chance", "data"])
        ]

    def test_go_into_lists_without_keys_by_place(self):
        (one,) = differences(exam_spec(points=2), exam_spec(points=3))
        assert one == ("spec.zones[main].draws[0].points", 2, 3)

    def test_show_such_a_list_whole_when_its_length_differs(self):
        more = exam_spec().model_dump(by_alias=True, mode="json")
        more["zones"][0]["draws"] *= 2
        (one,) = differences(exam_spec(), type(exam_spec()).model_validate(more))
        assert (one.path, len(one.before), len(one.after)) == ("spec.zones[main].draws", 1, 2)

    def test_reach_into_questions(self):
        before, after = pool_spec(single("a")), pool_spec(single("a", prompt="Other"))
        (one,) = differences(before, after)
        assert one.path == "spec.questions[a].prompt"
