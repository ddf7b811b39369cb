"""Readers and writers of different releases understand each other's events, or the check says why not."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, ValidationError, create_model

from hack.gen import schemas
from hack.gen.compatibility import breaks
from hack.gen.outputs import RefusedError
from hack.gen.samples import payload
from kourse.contracts import events

GOLDEN = Path(__file__).parent / "golden" / "events"
KEPT = [
    (events.CATALOG[folder.name], int(path.name.split(".")[0]))
    for folder in sorted(GOLDEN.iterdir())
    for path in sorted(folder.glob("*.payloads.json"))
]


def label(value):
    return value.name if isinstance(value, events.EventType) else str(value)


def kept(kind, version, what):
    return json.loads((GOLDEN / kind.name / f"{version}{what}.json").read_text())


class TestPublishedVersions:
    @pytest.mark.parametrize(("kind", "version"), KEPT, ids=label)
    def test_are_read_by_this_release(self, kind, version):
        for specimen in kept(kind, version, ".payloads"):
            assert kind.read(version, json.dumps(specimen)).entity == specimen[kind.subject]

    @pytest.mark.parametrize("kind", events.CATALOG.values(), ids=label)
    def test_accept_what_this_release_writes_and_more(self, kind):
        schema = Draft202012Validator(kept(kind, kind.version, ""))
        for specimen in (payload(schema.schema), payload(schema.schema, whole=False)):
            written = json.loads(kind.model.model_validate(specimen).model_dump_json())

            schema.validate(written)
            schema.validate({**written, "news": 1})


def model(**fields):
    return create_model("Thing", **fields)


class Inner(BaseModel):
    part: str


class InnerWithout(BaseModel):
    other: str = ""


OPTIONAL = (str | None, None)
BROKEN = {
    "a removed field": (model(note=(str, ...)), model(), "note", {}),
    "a new required field": (model(), model(note=(str, ...)), "note", {}),
    "an optional field that is required": (
        model(note=(str, "")),
        model(note=(str, ...)),
        "note",
        {},
    ),
    "a required field that is optional": (
        model(note=(str, ...)),
        model(note=(str, "")),
        "note",
        {},
    ),
    "a changed type": (model(n=(int, ...)), model(n=(str, ...)), "n", {"n": 1}),
    "a narrowed type": (model(n=(float, ...)), model(n=(int, ...)), "n", {"n": 0.5}),
    "a widened type": (model(n=(int, ...)), model(n=(float, ...)), "n", {"n": 0.5}),
    "a narrowed format": (model(id=(str, ...)), model(id=(UUID, ...)), "id", {"id": "x"}),
    "a removed value": (
        model(state=(Literal["on", "off"], ...)),
        model(state=(Literal["on"], ...)),
        "state",
        {"state": "off"},
    ),
    "an added value": (
        model(state=(Literal["on", "no"], ...)),
        model(state=(Literal["on", "no", "off"], ...)),
        "state",
        {"state": "off"},
    ),
    "values that become closed": (
        model(state=(str, ...)),
        model(state=(Literal["on", "off"], ...)),
        "state",
        {"state": "half"},
    ),
    "values that become open": (
        model(state=(Literal["on", "off"], ...)),
        model(state=(str, ...)),
        "state",
        {"state": "half"},
    ),
    "a tighter limit": (
        model(n=(int, ...)),
        model(n=(Annotated[int, Field(ge=1)], ...)),
        "n",
        {"n": 0},
    ),
    "a wider limit": (
        model(n=(Annotated[int, Field(le=1)], ...)),
        model(n=(Annotated[int, Field(le=9)], ...)),
        "n",
        {"n": 5},
    ),
    "a null that is no longer allowed": (
        model(note=OPTIONAL),
        model(note=(str, "")),
        "note",
        {"note": None},
    ),
    "a null that is new": (
        model(note=(str, "")),
        model(note=(str | None, "")),
        "note",
        {"note": None},
    ),
    "another meaning of absence": (
        model(note=(str | None, None)),
        model(note=(str | None, "none")),
        "note",
        {},
    ),
    "a field removed further in": (
        model(parts=(list[Inner], ...)),
        model(parts=(list[InnerWithout], ...)),
        "parts[].part",
        {"parts": [{}]},
    ),
    "another kind of entry": (
        model(parts=(dict[str, int], ...)),
        model(parts=(dict[str, str], ...)),
        "parts[]",
        {"parts": {"a": 1}},
    ),
}
HARMLESS = {
    "nothing": (model(note=(str, ...)), model(note=(str, ...))),
    "a new optional field": (model(), model(note=OPTIONAL)),
    "a new optional field further in": (
        model(parts=(list[Inner], ...)),
        model(parts=(list[create_model("More", __base__=Inner, more=OPTIONAL)], ...)),
    ),
    "another description": (
        model(note=(Annotated[str, Field(description="Old.")], ...)),
        model(note=(Annotated[str, Field(description="New.")], ...)),
    ),
    "another order": (model(a=(int, ...), b=(int, ...)), model(b=(int, ...), a=(int, ...))),
}


def understood(reader, written):
    """What a release makes of a payload; None when it refuses it."""
    try:
        return reader.model_validate(written).model_dump()
    except ValidationError:
        return None


class TestCheck:
    @pytest.mark.parametrize(("old", "new", "field", "witness"), BROKEN.values(), ids=BROKEN)
    def test_names_the_field_of(self, old, new, field, witness):
        assert understood(old, witness) != understood(new, witness), "the case shows no break"

        found = breaks(old.model_json_schema(), new.model_json_schema())

        assert [sentence.split(":")[0] for sentence in found][:1] == [field]

    @pytest.mark.parametrize(("old", "new"), HARMLESS.values(), ids=HARMLESS)
    def test_lets_pass(self, old, new):
        for writer, reader in ((old, new), (new, old)):
            written = payload(writer.model_json_schema())
            Draft202012Validator(reader.model_json_schema()).validate(written)

        assert breaks(old.model_json_schema(), new.model_json_schema()) == []

    @pytest.mark.parametrize("promise", ["x-stream", "x-subject", "x-private"])
    def test_names_a_promise_that_changed(self, promise):
        schema = events.json_schema(events.LessonCompleted.kind)

        (found,) = breaks(schema, {**schema, promise: "other"})

        assert found.startswith(f"{promise}: changed from")


@pytest.fixture
def golden(tmp_path, monkeypatch):
    """Golden files of a release that published ``course.lesson.completed`` with one field more."""
    monkeypatch.setattr(schemas, "GOLDEN", tmp_path)
    for path, content in schemas.files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return tmp_path


def change(path, edit):
    schema = json.loads(path.read_text())
    edit(schema)
    path.write_text(json.dumps(schema))


class TestGenerator:
    def test_refuses_a_break_and_says_which_version_is_needed(self, golden):
        path = golden / "course.lesson.completed" / "1.json"
        change(path, lambda schema: schema["properties"].update(minutes={"type": "integer"}))

        with pytest.raises(RefusedError) as refused:
            schemas.files()

        assert str(refused.value) == (
            "course.lesson.completed minutes: removed, but older readers use it; raise the version "
            "of LessonCompleted to 2, with an upgrade for what was published."
        )

    def test_lets_a_plan_change(self, golden):
        path = golden / "course.content.archived" / "1.json"
        change(path, lambda schema: schema["properties"].update(why={"type": "string"}))

        assert b"why" not in schemas.files()[path]

    def test_never_makes_a_plan_of_what_was_published(self, golden):
        path = golden / "course.content.archived" / "1.json"
        change(path, lambda schema: schema.pop("x-planned"))

        with pytest.raises(RefusedError, match="cannot be a plan again"):
            schemas.files()

    def test_keeps_payloads_as_they_were_published(self, golden):
        path = golden / "course.lesson.completed" / "1.payloads.json"
        path.write_text("[]")

        assert schemas.files()[path] == b"[]"

    def test_keeps_types_that_were_published(self, golden):
        gone = golden / "course.lesson.skipped"
        gone.mkdir()
        (gone / "1.json").write_text("{}")

        with pytest.raises(RefusedError, match="keep it in the catalog"):
            schemas.stale()

    def test_forgets_a_plan_that_was_given_up(self, golden):
        gone = golden / "course.lesson.skipped"
        gone.mkdir()
        (gone / "1.json").write_text('{"x-planned": true}')

        assert schemas.stale() == [gone / "1.json"]


class TestUpgrades:
    @pytest.fixture
    def kind(self):
        """A third version, in which a name became a title and then got a language."""
        return replace(
            events.UserRegistered.kind,
            version=3,
            upgrades={
                1: lambda old: {"user_id": old["id"], "name": old["name"]},
                2: lambda old: {"user_id": old["user_id"], "display_name": old["name"]},
            },
        )

    def test_bring_an_old_payload_to_the_present_version(self, kind):
        event = kind.read(1, '{"id": "00000000-0000-0000-0000-000000000007", "name": "Ana"}')

        assert event == events.UserRegistered(user_id=UUID(int=7), display_name="Ana")

    @pytest.mark.parametrize("version", [0, 4])
    def test_know_no_version_that_is_not_published(self, kind, version):
        assert not kind.knows(version)
        with pytest.raises(KeyError):
            kind.read(version, "{}")

    def test_are_needed_for_each_step(self, kind):
        partial = replace(kind, upgrades={2: kind.upgrades[2]})

        assert [partial.knows(version) for version in (1, 2, 3)] == [False, True, True]
