"""The CRDs are what the models say, follow the conventions, and accept the samples."""

from pathlib import Path

import pytest
import yaml

from hack.gen import crds
from hack.gen.outputs import drift
from kourse.contracts.resources import BY_KIND, KINDS
from support.compatibility import breaks

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "contract" / "golden" / "crds"
"""The definitions of the previous release; a release replaces them with its own."""
WAIVED = {
    f"v1alpha1.spec.run.{day}: format changed from None to date": (
        "Cohort",
        "a day that is not in the calendar stalled the cohort before; now it is refused",
    )
    for day in ("starts", "ends")
} | {
    "v1alpha1.spec: courses became required": (
        "Cohort",
        "a cohort of no course was taken when the field was left out, and only then",
    ),
    "v1alpha1.spec.assignments[].latePolicy: the default changed from {'graceMinutes': 0,"
    " 'percentPerDay': 10, 'floorPercent': 0} to {'graceMinutes': 0, 'percentPerDay': 10,"
    " 'maxPercent': 100, 'floorPercent': 0}": (
        "Course",
        "the new field's own default deducts as before",
    ),
}
"""Breaks that are meant: sentence to kind and reason."""
SAMPLES = sorted((ROOT / "manifests" / "samples").rglob("*.yaml"))


def schema_of(kind):
    (version,) = crds.definition(kind)["spec"]["versions"]
    return version["schema"]["openAPIV3Schema"]


def nodes(node, path=""):
    """Every node of a schema with its path."""
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in node:
        yield from nodes(node["items"], f"{path}[]")


def parts(kind):
    """Nodes of spec and status."""
    root = schema_of(kind)["properties"]
    return [*nodes(root["spec"], "spec"), *nodes(root["status"], "status")]


def sample_documents():
    for path in SAMPLES:
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            if document and document["apiVersion"].startswith("kourse.dev/"):
                yield pytest.param(document, id=f"{path.name}:{document['metadata']['name']}")


class TestFiles:
    def test_are_what_the_models_say(self):
        assert drift(crds.files(), crds.stale()) == [], "renew with: python -m hack.gen crds"

    def test_of_the_chart_stay_when_it_is_uninstalled(self):
        for path, content in crds.files().items():
            if path.parent == crds.CHART_TEMPLATES:
                annotations = yaml.safe_load(content)["metadata"]["annotations"]
                assert annotations == {"helm.sh/resource-policy": "keep"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
class TestConventions:
    def test_every_field_is_described(self, kind):
        assert [
            path for path, node in parts(kind) if "description" not in node and path[-1] != "]"
        ] == []

    def test_every_list_has_a_type_and_a_limit(self, kind):
        lists = [(path, node) for path, node in parts(kind) if node["type"] == "array"]
        assert [p for p, node in lists if "x-kubernetes-list-type" not in node] == []
        assert [p for p, node in lists if "maxItems" not in node] == []

    def test_keys_of_lists_are_required(self, kind):
        for path, node in parts(kind):
            for key in node.get("x-kubernetes-list-map-keys", []):
                assert key in node["items"]["required"], path

    def test_lists_that_must_not_be_empty_are_required(self, kind):
        for path, node in parts(kind):
            for name, field in node.get("properties", {}).items():
                if field.get("minItems") and not field.get("default"):
                    assert name in node.get("required", ()), f"{path}.{name}"

    def test_there_are_no_floats_maps_or_unknown_fields(self, kind):
        assert {node["type"] for _, node in parts(kind)} <= {
            "object",
            "array",
            "string",
            "integer",
        }
        assert "x-kubernetes-preserve-unknown-fields" not in str(schema_of(kind))

    def test_every_rule_has_a_sentence(self, kind):
        for path, node in nodes(schema_of(kind)):
            for rule in node.get("x-kubernetes-validations", []):
                assert rule["message"], path

    def test_has_status_columns_and_names(self, kind):
        spec = crds.definition(kind)["spec"]
        (version,) = spec["versions"]
        assert version["subresources"] == {"status": {}}
        assert [c["name"] for c in version["additionalPrinterColumns"]][:2] == ["Ready", "Reason"]
        assert spec["names"]["categories"] == ["kourse"]
        assert spec["names"]["shortNames"]
        assert spec["scope"] == "Namespaced"

    def test_conditions_are_keyed_by_type(self, kind):
        conditions = schema_of(kind)["properties"]["status"]["properties"]["conditions"]
        assert conditions["x-kubernetes-list-map-keys"] == ["type"]


class TestSamples:
    def test_there_are_some(self):
        assert SAMPLES

    @pytest.mark.parametrize("document", list(sample_documents()))
    def test_are_valid(self, document):
        from kourse.rules.declared import problems

        spec = BY_KIND[document["kind"]].spec.model_validate(document["spec"])
        assert problems(document["metadata"]["name"], spec) == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
class TestPreviousRelease:
    def test_is_not_broken(self, kind):
        old = yaml.safe_load((GOLDEN / f"{kind.plural}.yaml").read_text(encoding="utf-8"))
        found = set(breaks(old, crds.definition(kind)))
        assert found - WAIVED.keys() == set()

    def test_has_no_waiver_that_is_not_needed(self, kind):
        old = yaml.safe_load((GOLDEN / f"{kind.plural}.yaml").read_text(encoding="utf-8"))
        found = set(breaks(old, crds.definition(kind)))
        mine = {sentence for sentence, (name, _) in WAIVED.items() if name == kind.kind}
        assert mine - found == set()
