"""The newest known state of every object, and who refers to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kourse_operator.resource import Key, Resource

Declared = tuple[str, str, str]
"""Tenant, kind and name: the identity of a declared object, whatever namespace it comes from."""


class Store:
    """Objects by key, by declared identity and by what they refer to."""

    def __init__(self, tenant_of: Callable[[str], str]) -> None:
        """``tenant_of`` gives the tenant of a namespace."""
        self._tenant_of = tenant_of
        self._objects: dict[Key, Resource] = {}
        self._declared: dict[Declared, set[Key]] = {}
        self._references: dict[Key, frozenset[Declared]] = {}
        self._dependants: dict[Declared, set[Key]] = {}

    def put(self, resource: Resource) -> Resource | None:
        """Keeps this state; the state before, or None."""
        before = self._objects.get(resource.key)
        self._objects[resource.key] = resource
        self._declared.setdefault(self.declared(resource.key), set()).add(resource.key)
        return before

    def drop(self, key: Key) -> None:
        """The object is gone."""
        self._objects.pop(key, None)
        self.refer(key, frozenset())
        self._references.pop(key, None)
        _discard(self._declared, self.declared(key), key)

    def find(self, key: Key) -> Resource | None:
        """The newest state, or None."""
        return self._objects.get(key)

    def declared(self, key: Key) -> Declared:
        """The identity that the object has in the platform."""
        return (self._tenant_of(key.namespace), key.kind, key.name)

    def named(self, declared: Declared) -> list[Resource]:
        """Every object with this identity, the oldest first; more than one is a conflict."""
        found = [self._objects[key] for key in self._declared.get(declared, ())]
        return sorted(found, key=lambda item: (item.created, item.uid))

    def refer(self, key: Key, targets: frozenset[tuple[str, str]]) -> None:
        """Remembers the kinds and names that the object refers to, in its own tenant."""
        tenant = self._tenant_of(key.namespace)
        wanted = frozenset((tenant, kind, name) for kind, name in targets)
        present = self._references.get(key, frozenset())
        for target in present - wanted:
            _discard(self._dependants, target, key)
        for target in wanted - present:
            self._dependants.setdefault(target, set()).add(key)
        self._references[key] = wanted

    def dependants(self, key: Key) -> list[Key]:
        """Every object that refers to this one, sorted."""
        return sorted(self._dependants.get(self.declared(key), ()))

    def __iter__(self) -> Iterator[Resource]:
        return iter(list(self._objects.values()))

    def __len__(self) -> int:
        return len(self._objects)


def _discard(index: dict[Declared, set[Key]], at: Declared, key: Key) -> None:
    if at in index:
        index[at].discard(key)
        if not index[at]:
            del index[at]
