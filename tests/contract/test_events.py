"""The event catalog against its golden schemas and against the consumers that it names."""

import json
from pathlib import Path

import pytest

from kourse.contracts import events, names

GOLDEN = Path(__file__).parent / "golden" / "events"
KINDS = sorted(events.CATALOG.values(), key=lambda kind: kind.name)


def each(kind: events.EventType) -> str:
    return kind.name


class TestCatalog:
    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_every_schema_equals_its_golden_file(self, kind):
        golden = json.loads((GOLDEN / f"{kind.name}.json").read_text())

        assert events.json_schema(kind) == golden, "run 'make gen' and read the difference"

    def test_no_golden_file_is_left_of_a_type_that_is_gone(self):
        assert {path.stem for path in GOLDEN.glob("*.json")} == set(events.CATALOG)

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_every_name_has_three_words_and_begins_with_its_producer(self, kind):
        words = kind.name.split(".")

        assert len(words) == 3
        assert words[0] in names.SERVICES

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_every_subject_is_a_field(self, kind):
        assert kind.subject in kind.model.model_fields

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_every_consumer_is_a_service(self, kind):
        assert set(kind.consumers) <= set(names.SERVICES)

    @pytest.mark.parametrize("kind", KINDS, ids=each)
    def test_no_payload_carries_a_secret(self, kind):
        forbidden = {"password", "token", "secret", "code", "email"}

        assert not forbidden & set(kind.model.model_fields)

    def test_personal_fields_are_exactly_these(self):
        marked = {
            f"{kind.name}:{name}"
            for kind in KINDS
            for name, field in kind.model.model_fields.items()
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("pii")
        }

        assert marked == {"identity.user.registered:display_name"}

    def test_the_seed_names_are_there(self):
        seed = {
            "identity.user.registered",
            "identity.password.reset",
            "profile.group.joined",
            "course.content.published",
            "course.lesson.completed",
            "course.assignment.created",
            "assessment.exam.graded",
        }

        assert seed <= set(events.CATALOG)

    def test_what_outside_feeds_can_get_carries_no_score(self):
        scored = {"points", "max_points", "percent", "passed", "score"}
        feeds = [kind for kind in KINDS if "cohort" in kind.model.model_fields and not kind.private]

        assert feeds
        assert all(not scored & set(kind.model.model_fields) for kind in feeds)
