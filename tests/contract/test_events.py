"""The event catalog: its rules, its golden schemas, and the code that it speaks of."""

import ast
import json
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from kourse.contracts import events, names
from kourse.kit.runtime import Runtime

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "contract" / "golden" / "events"
KINDS = sorted(events.CATALOG.values(), key=lambda kind: kind.name)
SEED = {
    "identity.user.registered",
    "identity.password.reset",
    "profile.group.joined",
    "course.content.published",
    "course.lesson.completed",
    "course.assignment.created",
    "assessment.exam.graded",
}
PERSONAL_WORDS = {"name", "email", "mail", "address", "phone", "birthday", "comment", "text"}
SECRET_WORDS = {"password", "token", "secret", "code", "key", "link", "hash", "otp"}
KEYS_OF_CONTENT = {
    "PublishedSkill.key",
    "PublishedLesson.key",
    "PublishedBadge.key",
    "PublishedCategory.key",
    "PublishedCriterion.key",
    "PublishedLevel.key",
}
"""Not secrets: stable names of parts of a course."""


def each(kind):
    return kind.name


def models_of(model):
    """The payload and every model inside it."""
    found, todo = [], [model]
    while todo:
        one = todo.pop()
        found.append(one)
        for field in one.model_fields.values():
            todo += [inner for inner in flat(field.annotation) if inner not in found]
    return found


def flat(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in flat(part)]


def fields_of(kind):
    """``Model.field`` with its field, of the payload and of all that is in it."""
    return {
        f"{model.__name__}.{name}": field
        for model in models_of(kind.model)
        for name, field in model.model_fields.items()
    }


def words_of(path):
    return set(path.split(".")[1].split("_"))


def is_personal(field):
    return bool((field.json_schema_extra or {}).get("pii"))


class TestSchemas:
    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_equals_its_golden_file(self, kind):
        golden = json.loads((GOLDEN / kind.name / f"{kind.version}.json").read_text())

        assert events.json_schema(kind) == golden, "run 'make gen' and read the difference"

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_is_kept_of_every_version_so_far(self, kind):
        kept = {path.name for path in (GOLDEN / kind.name).iterdir()}

        assert kept == {
            f"{version}{what}.json"
            for version in range(1, kind.version + 1)
            for what in ("", ".payloads")
        }

    def test_of_a_type_is_never_left_behind(self):
        assert {path.name for path in GOLDEN.iterdir()} == set(events.CATALOG)


class TestNames:
    def test_include_the_seed(self):
        assert set(events.CATALOG) >= SEED

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_have_three_words_and_begin_with_the_producer(self, kind):
        words = kind.name.split(".")

        assert len(words) == 3
        assert words[0] in names.SERVICES

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_end_in_the_past_tense(self, kind):
        past = {"left", "sent", "won", "reset"}

        assert kind.name.endswith("ed") or kind.name.rpartition(".")[2] in past


class TestStreams:
    @pytest.mark.parametrize("stream", events.Stream)
    def test_have_one_producer_so_that_one_sequence_counts_them(self, stream):
        assert len({kind.producer for kind in KINDS if kind.stream is stream}) == 1

    @pytest.mark.parametrize("stream", events.Stream)
    def test_have_one_kind_of_entity(self, stream):
        assert len({kind.subject for kind in KINDS if kind.stream is stream}) == 1

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_find_their_entity_in_the_payload(self, kind):
        assert kind.model.model_fields[kind.subject].is_required()


class TestDescriptions:
    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_say_when_the_event_happens(self, kind):
        assert kind.model.__doc__ != events.Event.__doc__
        assert kind.model.__doc__.endswith(".")

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_explain_every_field(self, kind):
        assert [path for path, field in fields_of(kind).items() if not field.description] == []


class TestPrivacy:
    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_marks_every_field_that_is_named_like_something_personal(self, kind):
        suspicious = [
            path
            for path, field in fields_of(kind).items()
            if words_of(path) & PERSONAL_WORDS and not is_personal(field)
        ]

        assert suspicious == []

    def test_lets_exactly_these_personal_fields_travel(self):
        personal = {
            f"{kind.name}:{path}"
            for kind in KINDS
            for path, field in fields_of(kind).items()
            if is_personal(field)
        }

        assert personal == {"identity.user.registered:UserRegistered.display_name"}

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_lets_no_secret_travel(self, kind):
        secret = {path for path in fields_of(kind) if words_of(path) & SECRET_WORDS}

        assert secret <= KEYS_OF_CONTENT

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_keeps_private_and_personal_events_out_of_outside_feeds(self, kind):
        event = kind.model.model_construct(
            **{kind.subject: "x", "course": "statistics", "cohort": "porto"}
        )
        routed_to_a_course = ".demo._._." not in event.routing_key("demo")
        personal = any(is_personal(field) for field in fields_of(kind).values())

        assert not (routed_to_a_course and (kind.private or personal))

    def test_keeps_scores_and_what_follows_from_them_private(self):
        telling = {"points", "max_points", "percent", "passed", "score", "mastery", "skills"}
        learners = [kind for kind in KINDS if "learner_id" in kind.model.model_fields]

        assert learners
        assert [
            kind.name
            for kind in learners
            if telling & set(kind.model.model_fields) and not kind.private
        ] == []


def made_in(folder):
    """Names of the events that a folder's modules import from the catalog and call."""
    return {
        node.func.id
        for path in folder.rglob("*.py")
        for tree in [ast.parse(path.read_text())]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in imported_from_catalog(tree)
    }


def imported_from_catalog(tree):
    return {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "kourse.contracts.events"
        for alias in node.names
    }


MADE = {service: made_in(ROOT / "services" / "kourse" / service) for service in names.SERVICES}


class TestProducers:
    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_emit_what_is_not_planned_and_nothing_else(self, kind):
        made = kind.model.__name__ in MADE[kind.producer]

        assert made is not kind.planned, "set or drop 'planned' in the catalog"


def handlers_of(service):
    """The events that a service has a function for."""
    try:
        module = import_module(f"kourse.{service}.consumers")
    except ModuleNotFoundError:
        return frozenset()
    handlers = module.handlers
    return (handlers(Runtime.__new__(Runtime)) if callable(handlers) else handlers).types


class TestConsumers:
    @pytest.mark.parametrize("service", names.SERVICES)
    def test_are_named_where_they_have_a_function_and_nowhere_else(self, service):
        named = {kind.name for kind in KINDS if service in kind.consumers}

        assert named == handlers_of(service)

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_are_services(self, kind):
        assert set(kind.consumers) <= set(names.SERVICES)
