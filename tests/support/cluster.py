"""The Kubernetes API for tests: declare, look, wait and delete custom resources."""

import contextlib
import json

from kubernetes import client, config

from kourse.contracts.resources import BY_KIND, FINALIZER, GROUP, VERSION
from support.waiting import LONG_S, eventually

MERGE = "application/merge-patch+json"


class Cluster:
    """One API server, as its administrator.

    Attributes:
        api: The client library's connection.
    """

    def __init__(self, kubeconfig):
        self.api = config.new_client_from_config(str(kubeconfig))
        self._custom = client.CustomObjectsApi(self.api)
        self._core = client.CoreV1Api(self.api)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.api.close()

    def make_namespace(self, name):
        """The namespace is there."""
        self._core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name)))

    def release(self, namespace):
        """Whatever is left in the namespace goes, without an operator."""
        for kind in BY_KIND.values():
            listed = self._custom.list_namespaced_custom_object(
                GROUP, VERSION, namespace, kind.plural
            )
            for item in listed["items"]:
                name = item["metadata"]["name"]
                with contextlib.suppress(client.ApiException):
                    self.patch(kind.kind, namespace, name, {"metadata": {"finalizers": None}})
                with contextlib.suppress(client.ApiException):
                    self.delete(kind.kind, namespace, name)

    def create(self, kind, namespace, name, spec, annotations=None):
        """The object as the API server took it."""
        made = {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": kind,
            "metadata": {"name": name, "annotations": annotations or {}},
            "spec": spec,
        }
        return self._custom.create_namespaced_custom_object(
            GROUP, VERSION, namespace, BY_KIND[kind].plural, made, field_validation="Strict"
        )

    def refusal(self, kind, namespace, name, spec):
        """What the API server says when it does not take the object."""
        try:
            self.create(kind, namespace, name, spec)
        except client.ApiException as error:
            return json.loads(error.body)["message"]
        raise AssertionError("the API server took it")

    def patch(self, kind, namespace, name, patch):
        """The object after a merge patch."""
        return self._custom.patch_namespaced_custom_object(
            GROUP, VERSION, namespace, BY_KIND[kind].plural, name, patch, _content_type=MERGE
        )

    def annotate(self, kind, namespace, name, annotation, value="true"):
        """The object with, or with None without, an annotation of the group."""
        notes = {f"{GROUP}/{annotation}": value}
        return self.patch(kind, namespace, name, {"metadata": {"annotations": notes}})

    def find(self, kind, namespace, name):
        """The object, or None."""
        try:
            return self._custom.get_namespaced_custom_object(
                GROUP, VERSION, namespace, BY_KIND[kind].plural, name
            )
        except client.ApiException as error:
            if error.status == 404:
                return None
            raise

    def list(self, kind, namespace):
        """Every object of the kind there."""
        return self._custom.list_namespaced_custom_object(
            GROUP, VERSION, namespace, BY_KIND[kind].plural
        )["items"]

    def transitions(self, namespace):
        """What the Events told: object, what was said of it, and when it had become so."""
        listed = self._core.list_namespaced_event(namespace)
        return [
            (item.involved_object.uid, item.reason, item.message, item.first_timestamp)
            for item in listed.items
        ]

    def delete(self, kind, namespace, name):
        """Deletion is asked for."""
        self._custom.delete_namespaced_custom_object(
            GROUP, VERSION, namespace, BY_KIND[kind].plural, name
        )

    def gone(self, kind, namespace, name, seconds=LONG_S):
        """Returns when the object is no longer there."""
        eventually(lambda: self.find(kind, namespace, name) is None, seconds)

    def until(self, kind, namespace, name, status="True", reason=None, seconds=LONG_S):
        """The object, as soon as its newest generation has ``Ready`` like that."""

        def seen():
            found = self.find(kind, namespace, name)
            ready = condition(found, "Ready") if found else None
            if ready is None or ready["observedGeneration"] != found["metadata"]["generation"]:
                return None
            is_so = ready["status"] == status and reason in {None, ready["reason"]}
            return found if is_so else None

        try:
            return eventually(seen, seconds)
        except AssertionError:
            found = self.find(kind, namespace, name)
            raise AssertionError(f"still {json.dumps(found and found.get('status'))}") from None

    def held(self, kind, namespace, name):
        """The object, as soon as the operator has its finalizer in place."""
        return eventually(
            lambda: (
                (found := self.find(kind, namespace, name))
                and FINALIZER in found["metadata"].get("finalizers", ())
                and found
            )
        )

    def events(self, namespace, name):
        """Reasons of the Events told of an object, in order."""
        listed = self._core.list_namespaced_event(
            namespace, field_selector=f"involvedObject.name={name}"
        )
        told = sorted(listed.items, key=lambda item: (item.last_timestamp, item.metadata.name))
        return [item.reason for item in told]

    def told(self, namespace, name):
        """The newest message told of an object, by reason."""
        listed = self._core.list_namespaced_event(
            namespace, field_selector=f"involvedObject.name={name}"
        )
        told = sorted(listed.items, key=lambda item: (item.last_timestamp, item.metadata.name))
        return {item.reason: item.message for item in told}


def condition(found, type_):
    """A condition of an object, or None."""
    items = found.get("status", {}).get("conditions", ())
    return next((item for item in items if item["type"] == type_), None)
