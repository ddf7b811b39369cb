"""A tour of the API: every operation is asked what its description shows, until no more of them succeed."""

from __future__ import annotations

import secrets
from collections import defaultdict
from contextlib import suppress
from uuid import uuid4

from support.permission_matrix import EVERY_ROLE, ROUTES, Caller, name_of

PASSES = 4
"""Times that reads and writes are gone through at most: a later one finds what an earlier one made."""
AUTHORED = ("course", "cohort", "name")
"""Parameters that name a document; authors make their own, for the platform's are declared by resources."""


PARTS = {"chapter": "describing-data", "lesson": "centre-and-spread"}
"""Of the course that is the example."""


class Tour:
    """Asks with what the examples say, in the names of things that are there.

    Args:
        where: The stack.
        document: Its OpenAPI document.
        mint: Signs tokens.
        names: What the parameters name, of a learner who has lived here.
        bodies: By operation, what its body is instead of the example, made from the names and a function
            that looks at a path.
        gains: By operation, the parameter that its answer's id is for.
    """

    def __init__(self, where, document, mint, names, *, bodies, gains):
        self._url = where.service_urls["gateway"]
        self._urls = where.service_urls
        self._paths = document["paths"]
        self._bodies, self._gains = bodies, gains
        self._names = dict(names)
        self._authored = {name: f"tour-{secrets.token_hex(3)}" for name in AUTHORED} | PARTS
        self._mint = mint
        self.succeeded = set()
        self.refusals = defaultdict(list)

    def take(self, routes):
        """Asks all these routes, deletions last; which ones succeeded is in ``succeeded``."""
        rest = sorted(filter(_ends_something, routes), key=lambda route: -route.path.count("/"))
        gentle = [route for route in routes if route not in rest]
        for _ in range(PASSES):
            before = len(self.succeeded)
            self._go(gentle)
            if len(self.succeeded) == before:
                break
        self._go(rest)

    def _go(self, routes):
        # Each pass has an address of its own, for the gateway counts failures of each.
        with Caller(self._urls) as caller:
            for route in routes:
                if name_of(route) not in self.succeeded:
                    self._visit(caller, route)

    def _visit(self, caller, route):
        operation = self._paths[route.path][route.method.lower()]
        for token in (self._learner(), self._staff()):
            answer = self._ask(caller, route, operation, token)
            if answer.status_code < 300:
                self.succeeded.add(name_of(route))
                if name_of(route) in self._gains:
                    self._names[self._gains[name_of(route)]] = answer.json()["id"]
                return
            self.refusals[name_of(route)].append(f"{answer.status_code} {answer.text}")

    def _ask(self, caller, route, operation, token):
        values = {one["name"]: one["example"] for one in operation.get("parameters", [])}
        values |= self._names | {"name": self._names["exam"]}
        if "/pools/" in route.path:
            values["name"] = self._names["pool"]
        if "/authoring/" in route.path and "/assets" not in route.path:
            values |= self._authored
        query = {
            one["name"]: values[one["name"]]
            for one in operation.get("parameters", [])
            if one["in"] == "query" and one.get("required")
        }
        body = self._body(caller, route, operation)
        path = route.path.format(**values)
        key = {"idempotency-key": str(uuid4())}
        return caller.ask(self._url, route, path, token, body, query, **key)

    def _learner(self):
        return self._mint.token(roles=["learner"], sub=self._names["user_id"])

    def _staff(self):
        """Somebody who may do everything; another one each time, for each has a quota."""
        return self._mint.token(roles=EVERY_ROLE, sub=str(uuid4()))

    def _body(self, caller, route, operation):
        made = self._bodies.get(name_of(route))
        if made is not None:
            with suppress(LookupError):  # what it needs is not there yet
                return made(self._names, lambda path: self._look(caller, path))
            return {}
        contents = operation.get("requestBody", {}).get("content", {})
        return next((content["example"] for content in contents.values()), None)

    def _look(self, caller, path):
        """What there is at the path, for the learner or else for who may see everything."""
        route = next(route for route in ROUTES if route.method == "GET")
        answer = caller.ask(self._url, route, path, self._learner())
        if not answer.is_success:
            answer = caller.ask(self._url, route, path, self._staff())
        return answer.json()


def _ends_something(route):
    """Whether others find less after it."""
    return route.method == "DELETE" or route.path.endswith(("/leave", "/voiding", "/archive"))
