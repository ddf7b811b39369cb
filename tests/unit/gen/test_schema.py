"""Models become structural schemas; what a CRD cannot carry is refused when it is generated."""

from enum import StrEnum
from typing import ClassVar

import pytest
from pydantic import Field

from hack.gen.schema import NotStructural, structural
from kourse.contracts.resources import Document
from kourse.contracts.resources.meta import CelRule, Name


class Colour(StrEnum):
    """What it looks like."""

    RED = "Red"
    BLUE = "Blue"


class Part(Document):
    """A part."""

    cel_rules: ClassVar = (CelRule("self.size > 0", "too small", ".size"),)
    key: Name
    size: int = Field(1, ge=0, le=9, description="Size.")


class Thing(Document):
    """A thing."""

    list_map_keys: ClassVar = {"parts": "key"}
    colour: Colour = Colour.RED
    part: Part | None = None
    parts: list[Part] = Field(default_factory=list, max_length=3, description="Its parts.")
    words: list[Name] = Field(default_factory=list, max_length=3, description="Words.")
    other_parts: list[Part] = Field(default_factory=list, max_length=3, description="More.")


class Settings(Document):
    """Switches."""

    colour: Colour = Colour.BLUE


class Whole(Document):
    """A whole."""

    settings: Settings = Field(default_factory=Settings)
    optional: Settings | None = None


@pytest.fixture
def thing():
    return structural(Thing)["properties"]


class TestStructural:
    def test_inlines_references_and_enums(self, thing):
        assert thing["colour"] == {
            "type": "string",
            "description": "What it looks like.",
            "enum": ["Red", "Blue"],
            "default": "Red",
        }

    def test_makes_a_nullable_field_simply_optional(self, thing):
        assert thing["part"]["type"] == "object"
        assert "default" not in thing["part"]
        assert "required" not in structural(Thing)

    def test_names_the_type_of_every_list(self, thing):
        assert thing["parts"]["x-kubernetes-list-type"] == "map"
        assert thing["parts"]["x-kubernetes-list-map-keys"] == ["key"]
        assert thing["words"]["x-kubernetes-list-type"] == "set"
        assert thing["otherParts"]["x-kubernetes-list-type"] == "atomic"

    def test_carries_rules_where_they_apply(self, thing):
        rules = [{"rule": "self.size > 0", "message": "too small", "fieldPath": ".size"}]
        assert thing["part"]["x-kubernetes-validations"] == rules
        assert thing["parts"]["items"]["x-kubernetes-validations"] == rules

    def test_writes_out_the_defaults_of_an_absent_object(self):
        whole = structural(Whole)["properties"]
        assert whole["settings"]["default"] == {"colour": "Blue"}
        assert "default" not in whole["optional"]

    def test_gives_every_integer_a_format(self, thing):
        assert thing["part"]["properties"]["size"]["format"] == "int32"


class TestRefusal:
    @pytest.mark.parametrize(
        ("field", "sentence"),
        [
            ((str, Field(description="x")), "no limit of length"),
            ((list[Name], Field(description="x")), "no limit of entries"),
            ((float, Field(description="x")), "has the type number"),
            ((dict[str, str], Field(description="x")), "free-form map"),
            ((int | Colour, Field(description="x")), "choice of types"),
            ((int, ...), "no description"),
        ],
    )
    def test_says_which_field_and_why(self, field, sentence):
        from pydantic import create_model

        model = create_model("Model", __base__=Document, __doc__="Doc.", wrong=field)
        with pytest.raises(NotStructural, match=sentence):
            structural(model)
