"""The HTTP edge of a service: strict in what it accepts, and one form for everything it refuses."""

from kourse.kit.http.app import create_app
from kourse.kit.http.health import Health, State
from kourse.kit.http.models import Body, View
from kourse.kit.http.paging import After, Cursor, Limit, Page
from kourse.kit.http.problems import MethodNotAllowed, problem_of, problem_response

__all__ = [
    "After",
    "Body",
    "Cursor",
    "Health",
    "Limit",
    "MethodNotAllowed",
    "Page",
    "State",
    "View",
    "create_app",
    "problem_of",
    "problem_response",
]
