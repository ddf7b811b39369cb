"""A document in force as a manifest."""

import pytest
import yaml

from kourse.cli.export import manifest
from kourse.contracts.resources import BY_KIND
from support.courses import cohort_document, course_document
from support.exams import exam_document, pool_document

DOCUMENTS = {
    "Course": course_document(),
    "Cohort": cohort_document(),
    "QuestionPool": pool_document(),
    "ExamConfig": exam_document(),
}


class TestManifest:
    @pytest.mark.parametrize("kind", DOCUMENTS)
    def test_says_the_same_as_the_document(self, kind):
        made = yaml.safe_load(manifest(kind, "one", DOCUMENTS[kind], source="resource"))
        assert (made["kind"], made["metadata"]) == (kind, {"name": "one"})
        model = BY_KIND[kind].spec
        assert model.model_validate(made["spec"]) == model.model_validate(DOCUMENTS[kind])

    def test_leaves_defaults_out(self):
        text = manifest("Course", "one", course_document(visibility="Listed"), source="resource")
        assert "visibility" not in text

    def test_may_take_over_what_the_api_made(self):
        made = yaml.safe_load(manifest("Course", "one", course_document(), source="api"))
        assert made["metadata"]["annotations"] == {"kourse.dev/adopt": "true"}

    def test_writes_long_texts_as_blocks(self):
        text = manifest("Course", "one", course_document(), source="api")
        assert "text: |-\n" in text
