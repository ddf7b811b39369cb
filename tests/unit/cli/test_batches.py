"""How a large directory is split into requests."""

from pathlib import Path

from kourse.cli.batches import batches
from kourse.cli.manifests import Manifest
from support.courses import course_document
from support.exams import exam_document, pool_document, single


def manifest(kind, name, spec):
    return Manifest(kind, name, "", {}, spec, Path("all.yaml"))


def pool(name, course, **changes):
    return manifest("QuestionPool", name, pool_document(single("a"), courseRef=course, **changes))


def exam(name, course, draw):
    zone = {"key": "main", "title": "Main", "draws": [{**draw, "count": 1, "points": 1}]}
    return manifest("ExamConfig", name, exam_document(courseRef=course, zones=[zone]))


def names(found):
    return [[one.name for one in batch] for batch in found]


class TestBatches:
    def test_are_none_for_nothing(self):
        assert batches([]) == []

    def test_keep_an_exam_with_the_pools_of_its_course(self):
        found = batches(
            [pool("p1", "a"), pool("p2", "b"), exam("e1", "a", {"pools": ["p1"]})], size=1
        )
        assert names(found) == [["p1", "e1"], ["p2"]]

    def test_keep_an_exam_with_shared_pools_that_it_draws_from_by_label(self):
        shared = pool("shared", None, labels=["easy"])
        found = batches([shared, pool("own", "b"), exam("e", "a", {"poolLabel": "easy"})], size=1)
        assert names(found) == [["shared", "e"], ["own"]]

    def test_join_groups_that_a_later_object_connects(self):
        draw = {"pools": ["p1", "p2"]}
        found = batches([pool("p1", None), pool("p2", None), exam("e", "a", draw)], size=1)
        assert sorted(names(found)[0]) == ["e", "p1", "p2"]
        assert len(found) == 1

    def test_fill_up_to_their_size(self):
        courses = [manifest("Course", f"c{number}", course_document()) for number in range(5)]
        assert [len(batch) for batch in batches(courses, size=2)] == [2, 2, 1]

    def test_let_what_is_no_document_stand_alone(self):
        assert names(batches([manifest("Course", "broken", {"chapters": 7})])) == [["broken"]]
