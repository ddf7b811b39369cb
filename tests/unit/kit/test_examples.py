"""Examples are composed of what fields say and of a vocabulary."""

import pytest

from kourse.kit.http.examples import Examples, NoExample

WORDS = {"title": "Practical statistics", "reason": ("ab", "Asked for by the family.")}


def example(schema, name="body", **schemas):
    return Examples(schemas, WORDS).of(schema, name)


class TestExample:
    def test_of_a_field_is_what_the_field_says_itself(self):
        assert example({"type": "string", "examples": ["Own"]}, "title") == "Own"

    def test_of_a_constant_or_a_choice_is_one_of_them(self):
        assert example({"const": "Course"}) == "Course"
        assert example({"type": "string", "enum": ["Open", "Closed"]}) == "Open"

    def test_of_a_text_is_the_word_for_its_name(self):
        assert example({"type": "string"}, "title") == "Practical statistics"

    def test_of_a_text_is_the_first_word_that_the_bounds_allow(self):
        assert example({"type": "string", "minLength": 3}, "reason") == "Asked for by the family."

    def test_of_a_number_lies_within_its_bounds(self):
        assert example({"type": "integer", "minimum": 10, "maximum": 20}) == 10
        assert example({"type": "integer", "maximum": 2}) == 2
        assert example({"type": "number", "minimum": 0, "maximum": 1}) == 1

    def test_of_an_object_has_all_its_fields(self):
        title = {"properties": {"title": {"type": "string"}}, "type": "object"}
        many = {"type": "array", "items": {"$ref": "#/components/schemas/Title"}}

        assert example(many, Title=title) == [{"title": "Practical statistics"}]

    def test_of_what_may_be_missing_is_what_is_there(self):
        assert example({"anyOf": [{"type": "null"}, {"type": "boolean"}]}) is True

    def test_of_a_text_that_nothing_describes_is_refused_by_name(self):
        with pytest.raises(NoExample, match="colour"):
            example({"properties": {"colour": {"type": "string"}}, "type": "object"})

    def test_of_what_contains_itself_only_ends(self):
        node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}

        with pytest.raises(NoExample, match="contains itself"):
            example(node, Node=node)
