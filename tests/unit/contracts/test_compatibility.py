"""The judge of compatibility sees every way in which a definition can break what was allowed."""

import copy

import pytest

from support.compatibility import breaks

OLD = {
    "spec": {
        "group": "kourse.dev",
        "scope": "Namespaced",
        "names": {"kind": "Thing", "plural": "things"},
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "selectableFields": [{"jsonPath": ".spec.name"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "name": {"type": "string", "maxLength": 10, "enum": ["a", "b"]},
                            "size": {"type": "integer", "minimum": 1, "default": 3},
                            "list": {"type": "array", "items": {"type": "string"}},
                        },
                    }
                },
            }
        ],
    }
}


def changed(edit):
    new = copy.deepcopy(OLD)
    (version,) = new["spec"]["versions"]
    root = version["schema"]["openAPIV3Schema"]
    edit(new["spec"], version, root, root["properties"])
    return breaks(OLD, new)


BROKEN = {
    "group changed": lambda spec, *_: spec.update(group="x"),
    "scope changed": lambda spec, *_: spec.update(scope="Cluster"),
    "names.plural changed": lambda spec, *_: spec["names"].update(plural="x"),
    "version v1alpha1 is gone": lambda spec, *_: spec.update(versions=[]),
    "not served any more": lambda _, version, *__: version.update(served=False),
    "cannot be selected by": lambda _, version, *__: version.pop("selectableFields"),
    "type changed": lambda *given: given[3]["size"].update(type="string"),
    "maxLength is narrower": lambda *given: given[3]["name"].update(maxLength=9),
    "minimum is narrower": lambda *given: given[3]["size"].update(minimum=2),
    "maxItems is narrower": lambda *given: given[3]["list"].update(maxItems=5),
    "b not accepted any more": lambda *given: given[3]["name"].update(enum=["a"]),
    "the default changed": lambda *given: given[3]["size"].update(default=4),
    "name became required": lambda *given: given[2].update(required=["name"]),
    ".name is gone": lambda *given: given[3].pop("name"),
    "list[]: type changed": lambda *given: given[3]["list"]["items"].update(type="integer"),
}


class TestChange:
    @pytest.mark.parametrize("sentence", BROKEN)
    def test_that_breaks_is_told(self, sentence):
        (told,) = changed(BROKEN[sentence])
        assert sentence in told

    def test_that_only_adds_is_fine(self):
        def widen(_spec, _version, _root, fields):
            fields["name"].update(maxLength=20, enum=["a", "b", "c"])
            fields["size"].update(minimum=0)
            fields["more"] = {"type": "string"}

        assert changed(widen) == []
