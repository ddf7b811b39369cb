"""Every route meets what its description allows and what it forbids, from every role, and holds.

Cases are drawn from the running gateway's own OpenAPI document.
"""

from contextlib import closing
from uuid import uuid4

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from kourse.contracts.examples import SPECS
from support.permission_matrix import EVERY_ROLE, ROUTES, Mint, allows, local_address, name_of
from support.tour import Tour
from support.waiting import eventually
from support.world import lived_in, some_answer

CASES = 6
"""Cases of each kind for each route; the seed is fixed, so every run draws the same."""
NOTHING_TO_BREAK = {"/.well-known/jwks.json"}
"""Routes that take nothing, so there is nothing that does not fit."""
ENDING = [route for route in ROUTES if not route.streams]
"""Routes whose answer can be read to its end."""
LEARNING = ("course", "assessment", "notification", "dashboard", "profile")
"""Services whose routes are for those who learn and teach; accounts have a story of their own."""
MENDING = "/v1/operations/"
"""Routes that need something broken, which tests/integration/kit/test_operations.py breaks."""


def _seen(names, look):
    sheet = look(f"/v1/gradables/{names['submission_id']}")
    return {"number": sheet["number"], "run": sheet["run"]}


def _marks(names, look):
    rubric = look(f"/v1/gradables/{names['submission_id']}")["rubric"]
    marks = {one["key"]: {"level": one["levels"][0]["key"]} for one in rubric}
    return {**_seen(names, look), "marks": marks}


def _asset(names, look):
    spec = look(f"/v1/authoring/courses/{names['course']}")["spec"]
    lessons = [lesson for chapter in spec["chapters"] for lesson in chapter["lessons"]]
    return next(asset for lesson in lessons for asset in lesson.get("assets", ()))


def _review(names, look):
    return look(f"/v1/attempts/{names['attempt_id']}/reviews/{names['slot']}")


def _judgement(names, look):
    sheet = _review(names, look)
    marks = {one["key"]: {"level": one["levels"][0]["key"]} for one in sheet["rubric"]}
    return {"seen": sheet["seen"], "marks": marks}


def _grant(*_):
    return {"timeFactor": "1.25", "reason": "A certificate of the school."}


BODIES = {
    "PUT /v1/attempts/{attempt_id}/reviews/{slot}/grade": _judgement,
    "PUT /v1/attempts/{attempt_id}/reviews/{slot}/override": lambda names, look: {
        "seen": _review(names, look)["seen"],
        "points": "2.5",
        "reason": "The question was unclear.",
    },
    "POST /v1/exams/{exam}/regrades": lambda names, _: {
        "corrections": [{"pool": names["pool"], "question": names["question"]}],
        "reason": "The key was wrong.",
    },
    "POST /v1/exams/{exam}/extensions": lambda *_: {"minutes": 10},
    "POST /v1/exams/{exam}/releases": lambda *_: {"scores": True, "answers": True},
    "PUT /v1/exams/{exam}/accommodations/{learner_id}": _grant,
    "PUT /v1/courses/{course}/accommodations/{learner_id}": _grant,
    "PUT /v1/authoring/courses/{course}": lambda *_: {**SPECS["Course"], "lifecycle": "Draft"},
    "POST /v1/authoring/courses/{course}/assets": lambda names, look: {
        "assets": [{key: _asset(names, look)[key] for key in ("path", "sha256")} | {"size": 1}]
    },
    "POST /v1/authoring/courses/{course}/assets/stored": lambda names, look: {
        "sha256s": [_asset(names, look)["sha256"]]
    },
    "POST /v1/cohorts/join": lambda names, look: {
        "code": look(f"/v1/cohorts/{names['cohort']}/code")["code"]
    },
    "POST /v1/courses/{course}/assignments/{assignment}/hand-ins": lambda names, _: {
        "files": [names["file_id"]]
    },
    "POST /v1/courses/{course}/assignments/{assignment}/extensions": lambda names, _: {
        "learner": names["user_id"],
        "dueAt": "2099-01-04T12:00:00Z",
        "reason": "Ill, with a note.",
    },
    "PUT /v1/gradables/{submission_id}/grade": _marks,
    "PUT /v1/gradables/{submission_id}/override": lambda names, look: {
        **_seen(names, look),
        "points": "7.5",
        "reason": "The store was away.",
    },
    "POST /v1/notifications/read": lambda names, _: {"through": names["notification_id"]},
    "POST /v1/practice/{pool}/{question}/answers": lambda names, look: {
        "seed": (shown := _practice(names, look))["seed"],
        "answer": some_answer(shown),
    },
    "PUT /v1/attempts/{attempt}/answers/{slot}": lambda names, look: {
        "seq": 1,
        "answer": some_answer(_asked(names, look)),
    },
}
"""What an operation is asked instead of its example, to fit what is there."""
GAINS = {
    "POST /v1/cohorts/{cohort}/announcements": "announcement_id",
    "POST /v1/cohorts/{cohort}/members/{user_id}/messages": "message_id",
    "POST /v1/exams/{exam}/regrades": "regrade_id",
    "POST /v1/profile/goals": "goal_id",
    "POST /v1/exams/{exam}/attempts": "attempt",
}
"""The parameter for which an operation's answer has a value."""
CONFORMS = [content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def document(target):
    """The description, once every service has told its part."""

    def whole():
        with closing(requests.get(f"{target.url}/openapi.json", timeout=60)) as answer:
            found = answer.json()
        return found if {route.path for route in ROUTES} <= found["paths"].keys() else None

    return eventually(whole)


@pytest.fixture(scope="module")
def schema(document):
    return schemathesis.openapi.from_dict(document)


@pytest.fixture(scope="module")
def mint(state):
    return Mint(state)


@pytest.fixture(scope="module")
def names(target):
    """What the parameters name that name something, until a case deletes it."""
    return _lived_in(target)


@pytest.fixture
def intact(target):
    """The same of another learner, whom no case has met."""
    return _lived_in(target)


def _lived_in(target):
    names, learner = lived_in(target)
    learner.close()
    return names


@pytest.fixture
def session():
    """Connections from an address of their own, for the gateway counts failures of each."""

    class FromHere(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *args, **kwargs):
            super().init_poolmanager(*args, source_address=(local_address(), 0), **kwargs)

    with requests.Session() as session:
        session.mount("http://", FromHere())
        yield session


class TestRoute:
    @pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
    @pytest.mark.parametrize("route", ENDING, ids=name_of)
    def test_answers_as_described_whatever_it_is_asked(
        self, route, mode, schema, target, mint, names, session
    ):
        cases = schema[route.path][route.method].as_strategy(generation_mode=mode)
        let_in = [role for role in EVERY_ROLE if route.permission and allows(role, route)]

        @settings(
            max_examples=CASES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases, role=st.sampled_from(let_in + EVERY_ROLE), is_known=st.booleans())
        def ask(case, role, is_known):
            if is_known and mode is GenerationMode.POSITIVE:
                case.path_parameters = {**case.path_parameters, **_known(case, names)}
            token = mint.token(roles=[role], sub=str(uuid4()))
            headers = {**(case.headers or {}), "authorization": f"Bearer {token}"}
            answer = case.call(base_url=target.url, session=session, headers=headers, timeout=60)
            assert answer.status_code < 500, answer.text
            case.validate_response(answer, checks=CONFORMS)

        try:
            ask()
        except Unsatisfiable:
            assert route.path in NOTHING_TO_BREAK


class TestDescription:
    @pytest.mark.parametrize("service", LEARNING)
    def test_leads_to_success_in_nine_of_ten_operations(
        self, service, where, document, mint, intact
    ):
        tour = Tour(where, document, mint, intact, bodies=BODIES, gains=GAINS)
        routes = [
            route
            for route in ROUTES
            if route.service == service and not route.path.startswith(MENDING)
        ]

        tour.take(routes)

        failed = {name_of(route) for route in routes} - tour.succeeded
        told = {name: tour.refusals[name][-1] for name in failed}
        assert len(tour.succeeded) >= 0.9 * len(routes), told


def _practice(names, look):
    path = f"/v1/courses/{names['course']}/lessons/{names['lesson']}/practice"
    return next(one for one in look(path)["items"] if one["question"] == names["question"])


def _asked(names, look):
    asked = look(f"/v1/attempts/{names['attempt']}")["questions"]
    return {one["slot"]: one for one in asked}[names["slot"]]


def _known(case, names):
    return {name: names[name] for name in case.path_parameters if name in names}
