"""Which of the two doors may write a declared object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kourse.contracts.errors import OwnedByApi, OwnedByResource, StaleGeneration
from kourse.kit.document_rows import Declared

if TYPE_CHECKING:
    from kourse.kit.documents import Doc


def check_ownership(held: Declared, doc: Doc[Any]) -> None:
    """Returns when the document may be written over what the ledger holds.

    A retired name is free for either door. A resource with another uid is the same object, applied again.

    Raises:
        OwnedByResource: The API may not change what a resource declares.
        OwnedByApi: The resource did not ask to adopt a name made through the API.
        StaleGeneration: A newer generation of this very resource was applied.
    """
    if held.retired:
        return
    if doc.source == "api":
        require_free(held)
    if held.source == "api" and doc.source == "resource" and not doc.adopt:
        raise OwnedByApi(
            f"{held.kind} {held.name!r} was made through the REST API; the annotation "
            '"kourse.dev/adopt: true" takes it over.'
        )
    if held.uid == doc.uid and doc.source == "resource" and doc.generation < held.generation:
        raise StaleGeneration(
            f"Generation {held.generation} of {held.kind} {held.name!r} was already applied."
        )


def require_free(held: Declared) -> None:
    """Returns when the API may change or delete the object.

    Raises:
        OwnedByResource: A resource declares it.
    """
    if held.source == "resource" and not held.retired:
        raise _owned_by_resource(held)


def _owned_by_resource(held: Declared) -> OwnedByResource:
    resource = f"{held.kind}/{held.name}"
    return OwnedByResource(
        f"{resource} is declared by a Kubernetes resource; change or delete it there.",
        extensions={"resource": resource},
    )
