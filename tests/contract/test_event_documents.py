"""The documents of the events: valid for tools, complete for people, and true of real messages."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from hack.gen import asyncapi, event_page
from hack.gen.messages import ATTRIBUTES, OTHER_HEADERS, example, reaches_feeds
from kourse.contracts import events, names
from kourse.kit.delivery import PREFIX, delivery_of, event_of

SCHEMA = json.loads((Path(__file__).parent / "vendor" / "asyncapi-3.0.0.json").read_text())
DOCUMENT = yaml.safe_load(asyncapi.DOCUMENT.read_text())
PAGE = event_page.PAGE.read_text()
KINDS = sorted(events.CATALOG.values(), key=lambda kind: kind.name)


def each(kind):
    return kind.name


def references(node):
    """Every reference in the document."""
    if isinstance(node, dict):
        found = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return found + [one for value in node.values() for one in references(value)]
    return [one for value in node for one in references(value)] if isinstance(node, list) else []


class TestAsyncApi:
    def test_is_valid_by_the_official_schema(self):
        assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(DOCUMENT)] == []

    def test_refers_to_nothing_that_is_not_there(self):
        for reference in references(DOCUMENT):
            node = DOCUMENT
            for word in reference.removeprefix("#/").split("/"):
                node = node[word]

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_has_a_valid_example_of_each_event(self, kind):
        (made,) = DOCUMENT["components"]["messages"][kind.name]["examples"]
        payload = {"$ref": f"#/components/schemas/{kind.model.__name__}"}
        headers = DOCUMENT["components"]["messageTraits"]["cloudEvent"]["headers"]

        Draft7Validator({**payload, "components": DOCUMENT["components"]}).validate(made["payload"])
        Draft7Validator(headers).validate(made["headers"])

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_addresses_events_as_they_are_routed(self, kind):
        words = DOCUMENT["channels"][kind.name]["address"].split(".")
        key = example(kind).routing_key.split(".")

        assert words[:3] == key[:3]
        assert len(words) == len(key)

    def test_lists_for_feeds_what_is_routed_to_them_and_nothing_private(self):
        listed = set(DOCUMENT["channels"]["cohort"]["messages"])

        assert listed == {kind.name for kind in KINDS if reaches_feeds(kind)}
        assert not any(events.CATALOG[name].private for name in listed)


class TestExamples:
    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_are_read_by_the_platforms_own_consumers(self, kind):
        made = example(kind)
        delivery = delivery_of(made.headers)

        assert event_of(delivery, json.dumps(dict(made.body))).kind is kind

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_carry_the_headers_that_are_described_and_no_other(self, kind):
        headers = set(example(kind).headers)
        described = {PREFIX + name for name in ATTRIBUTES}

        assert described <= headers <= described | set(OTHER_HEADERS)


class TestPage:
    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_describes_each_event_and_every_field(self, kind):
        section = PAGE.partition(f"### {kind.name}\n")[2].partition("\n### ")[0]

        assert kind.model.__doc__ in section
        assert names.type_binding(kind.name) in section
        for name, field in kind.model.model_fields.items():
            assert f"| `{name}` |" in section
            assert field.description in section

    def test_marks_what_is_personal(self):
        (line,) = [line for line in PAGE.splitlines() if "**Personal.**" in line]

        assert line.startswith("| `display_name` |")

    def test_leaves_no_word_of_the_guide_open(self):
        guide = PAGE.partition("## All events")[0]

        assert not re.findall(r"\{[a-z_]+\}", guide)
