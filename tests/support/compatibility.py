"""What a new definition takes away from those who wrote objects under the old one.

The rules are those of crdify and of the API conventions: nothing that was accepted may be refused, nothing
that was stored may be lost, and nothing may mean something else.
"""

_BOUNDS = {
    "maximum": -1,
    "maxLength": -1,
    "maxItems": -1,
    "minimum": 1,
    "minLength": 1,
    "minItems": 1,
}
"""Limits, with the sign of a change that makes them narrower."""
_FIXED = ("type", "format", "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "pattern")


def breaks(old, new):
    """A sentence for each way in which ``new`` breaks what ``old`` allowed."""
    return [*_names(old, new), *_versions(old, new)]


def _names(old, new):
    for field in ("group", "scope"):
        if old["spec"][field] != new["spec"][field]:
            yield f"{field} changed"
    for field in ("kind", "plural"):
        if old["spec"]["names"][field] != new["spec"]["names"][field]:
            yield f"names.{field} changed"


def _versions(old, new):
    known = {version["name"]: version for version in new["spec"]["versions"]}
    for version in old["spec"]["versions"]:
        name = version["name"]
        if name not in known:
            yield f"version {name} is gone"
            continue
        if version["served"] and not known[name]["served"]:
            yield f"version {name} is not served any more"
        yield from _schema(_root(version), _root(known[name]), name)
        paths = {item["jsonPath"] for item in known[name].get("selectableFields", ())}
        for item in version.get("selectableFields", ()):
            if item["jsonPath"] not in paths:
                yield f"{item['jsonPath']} cannot be selected by any more"


def _root(version):
    return version["schema"]["openAPIV3Schema"]


def _schema(old, new, path):
    yield from _values(old, new, path)
    if asked := set(new.get("required", ())) - set(old.get("required", ())):
        yield f"{path}: {', '.join(sorted(asked))} became required"
    for name, part in old.get("properties", {}).items():
        if name in new.get("properties", {}):
            yield from _schema(part, new["properties"][name], f"{path}.{name}")
        else:
            yield f"{path}.{name} is gone"
    if "items" in old and "items" in new:
        yield from _schema(old["items"], new["items"], f"{path}[]")


def _values(old, new, path):
    for name in _FIXED:
        if old.get(name) != new.get(name):
            yield f"{path}: {name} changed from {old.get(name)} to {new.get(name)}"
    for name, sign in _BOUNDS.items():
        if _is_narrower(old.get(name), new.get(name), sign):
            yield f"{path}: {name} is narrower, {new[name]} after {old.get(name)}"
    if gone := set(old.get("enum", ())) - set(new.get("enum", old.get("enum", ()))):
        yield f"{path}: {', '.join(sorted(gone))} not accepted any more"
    if "default" in old and old["default"] != new.get("default"):
        yield f"{path}: the default changed from {old['default']} to {new.get('default')}"


def _is_narrower(old, new, sign):
    if new is None:
        return False
    return old is None or (new - old) * sign > 0
