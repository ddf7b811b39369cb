"""The labels of our metrics, and how many values each may have: none is a person, a course or an address."""

from collections.abc import Mapping

LABELS: Mapping[str, int] = {
    "backend": 3,
    "became": 3,
    "cause": 20,
    "code": 20,
    "component": 40,
    "condition": 10,
    "consumer": 8,
    "controller": 4,
    "kind": 40,
    "lane": 2,
    "method": 150,
    "name": 10,
    "namespace": 200,
    "operation": 10,
    "outcome": 30,
    "peer": 6,
    "pool": 20,
    "queue": 10,
    "reason": 20,
    "result": 6,
    "revision": 2,
    "route": 400,
    "service": 9,
    "status": 40,
    "task": 30,
    "type": 120,
    "upstream": 7,
    "urgency": 3,
    "version": 2,
}
"""Label to the most values that it takes in one installation."""
