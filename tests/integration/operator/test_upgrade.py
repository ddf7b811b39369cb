"""The definitions of the previous release give way to the new ones while objects are stored."""

import copy
import secrets
from pathlib import Path

import pytest
import yaml
from kubernetes import client, config

from hack.gen import crds
from kourse.contracts.resources import BY_KIND, KINDS
from support.operator_fakes import SPECS
from support.waiting import eventually

GOLDEN = Path(__file__).resolve().parents[2] / "contract" / "golden" / "crds"


@pytest.fixture(scope="module")
def api(servers):
    made = config.new_client_from_config(str(servers.endpoints.kubeconfig))
    yield made
    made.close()


@pytest.fixture(scope="module")
def group(api):
    """Definitions under a group of this test's own, so that nobody else's objects are touched."""
    made = Definitions(api, f"upgrade-{secrets.token_hex(4)}.kourse.dev")
    yield made
    made.remove()


class Definitions:
    """The four definitions, moved to another group."""

    def __init__(self, api, group):
        self.group = group
        self._definitions = client.ApiextensionsV1Api(api)
        self._objects = client.CustomObjectsApi(api)

    def apply(self, documents):
        for document in documents:
            moved = copy.deepcopy(document)
            name = f"{moved['spec']['names']['plural']}.{self.group}"
            moved["spec"]["group"] = self.group
            moved["metadata"] = {"name": name}
            present = self._find(name)
            if present:
                moved["metadata"]["resourceVersion"] = present.metadata.resource_version
                self._definitions.replace_custom_resource_definition(name, moved)
            else:
                self._definitions.create_custom_resource_definition(moved)
            eventually(lambda name=name: self._is_served(name))

    def create(self, kind, name):
        body = {
            "apiVersion": f"{self.group}/v1alpha1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": SPECS[kind],
        }
        # A definition that was just made is served a moment after it is established.
        return eventually(lambda: self._created(kind, body))

    def read(self, kind, name):
        return self._objects.get_namespaced_custom_object(*self._place(kind), name)

    def patch(self, kind, name, patch):
        return self._objects.patch_namespaced_custom_object(*self._place(kind), name, patch)

    def stored_versions(self, kind):
        found = self._find(f"{BY_KIND[kind].plural}.{self.group}")
        return found.status.stored_versions

    def remove(self):
        for kind in KINDS:
            self._definitions.delete_custom_resource_definition(f"{kind.plural}.{self.group}")

    def _created(self, kind, body):
        try:
            return self._objects.create_namespaced_custom_object(*self._place(kind), body)
        except client.ApiException as error:
            if error.status != 404:
                raise
            return None

    def _place(self, kind):
        return self.group, "v1alpha1", "default", BY_KIND[kind].plural

    def _find(self, name):
        try:
            return self._definitions.read_custom_resource_definition(name)
        except client.ApiException as error:
            if error.status != 404:
                raise
            return None

    def _is_served(self, name):
        told = self._find(name).status.conditions or ()
        return {"NamesAccepted", "Established"} <= {c.type for c in told if c.status == "True"}


def previous():
    return [yaml.safe_load(path.read_text()) for path in sorted(GOLDEN.glob("*.yaml"))]


def spec_of(kind):
    """The schema of the spec in the new definition."""
    version = crds.definition(BY_KIND[kind])["spec"]["versions"][0]
    return version["schema"]["openAPIV3Schema"]["properties"]["spec"]


def with_defaults(old, schema):
    """What was stored, with what the schema says of the fields that it lacks, at every depth."""
    if schema["type"] == "array":
        return [with_defaults(entry, schema["items"]) for entry in old]
    if schema["type"] != "object":
        return old
    fields = schema["properties"]
    fresh = {name: field["default"] for name, field in fields.items() if "default" in field}
    return {name: with_defaults(value, fields[name]) for name, value in (fresh | old).items()}


class TestUpgrade:
    def test_keeps_what_was_stored_readable_and_changeable(self, group):
        group.apply(previous())
        before = {kind: group.create(kind, "kept") for kind in SPECS}
        group.apply([crds.definition(kind) for kind in KINDS])
        for kind, old in before.items():
            found = group.read(kind, "kept")
            expected = with_defaults(old["spec"], spec_of(kind))
            assert found["spec"] == expected, "nothing is lost or means something else"
            assert found["metadata"]["generation"] == old["metadata"]["generation"]
            group.patch(kind, "kept", {"spec": {"title": "Changed after the upgrade"}})
            assert group.stored_versions(kind) == ["v1alpha1"]
