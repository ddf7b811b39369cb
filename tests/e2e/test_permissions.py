"""Who may call what: role by route by object by state of the token, at the gateway and behind it.

Rows and columns come from the catalogs, so a new route, role or permission is judged without a line here.
"""

from contextlib import closing
from uuid import uuid4

import pytest

from kourse.contracts.permissions import DENIALS
from support.permission_matrix import (
    EVERY_ROLE,
    GUARDED,
    OTHER_TENANT,
    PERSONAL,
    TENANTS,
    Caller,
    Mint,
    address,
    allows,
    name_of,
    parameters,
    told,
)
from support.world import PLAN, lived_in

BODIES = {
    "PATCH /v1/profile/goals/{goal_id}": {"title": "Taken over"},
    "PUT /v1/profile/plans/{plan_id}": PLAN,
    "PUT /v1/attempts/{attempt}/answers/{slot}": {"seq": 9, "answer": None},
    "PUT /v1/gradables/{submission_id}/grade": {"number": 1, "run": 0, "points": "1"},
    "PUT /v1/gradables/{submission_id}/override": {
        "number": 1,
        "run": 1,
        "points": "1",
        "reason": "Taken over.",
    },
    "POST /v1/courses/{course}/assignments/{assignment}/releases": {},
    "POST /v1/courses/{course}/assignments/{assignment}/hand-ins": {"statement": "Taken over."},
    "PUT /v1/courses/{course}/assignments/{assignment}/groups/{group}": {"members": [str(uuid4())]},
}
"""What a write needs so that it is judged by its object and not by its form."""
REFUSALS = {400, 403, 404, 409, 415, 422}
"""Answers that give and change nothing; so does 204 to whoever deletes what is not there for them."""
AT_NOWHERE = ("course:nowhere", "cohort:nowhere")


@pytest.fixture(scope="session")
def mint(state):
    return Mint(state)


@pytest.fixture
def caller(where):
    with Caller(where.service_urls) as caller:
        yield caller


class TestToken:
    @pytest.mark.parametrize("route", GUARDED, ids=name_of)
    def test_that_nobody_may_believe_opens_nothing(self, route, caller, mint):
        for place, url in caller.places(route).items():
            for flaw, token in mint.bad().items():
                answer = caller.ask(url, route, address(route), token)
                assert answer.status_code == 401, (place, flaw, answer.text)
                assert answer.json()["code"] == "unauthenticated"

    @pytest.mark.parametrize("route", GUARDED, ids=name_of)
    def test_is_needed_whatever_headers_claim(self, route, caller):
        claimed = {"x-user-id": str(uuid4()), "x-tenant-id": "demo", "x-roles": "tenant-admin"}
        for place, url in caller.places(route).items():
            answer = caller.ask(url, route, address(route), None, **claimed)
            assert answer.status_code == 401, (place, answer.text)

    @pytest.mark.parametrize("route", GUARDED, ids=name_of)
    def test_of_an_ended_log_in_opens_nothing(self, route, caller, mint, ended):
        token = mint.token(roles=EVERY_ROLE, **ended)
        for place, url in caller.places(route).items():
            answer = caller.ask(url, route, address(route), token)
            assert answer.status_code == 401, (place, answer.text)


@pytest.fixture(scope="session")
def ended(where, mint):
    """Subject and session of a log-in that was ended as people do it."""
    who = {"sub": str(uuid4()), "sid": str(uuid4())}
    route = next(route for route in GUARDED if name_of(route) == "POST /v1/auth/logout")
    with Caller(where.service_urls) as caller:
        url = caller.places(route)["gateway"]
        answer = caller.ask(url, route, address(route), mint.token(roles=EVERY_ROLE, **who))
    assert answer.status_code == 204, answer.text
    return who


class TestRole:
    @pytest.mark.parametrize("route", GUARDED, ids=name_of)
    def test_in_a_tenant_opens_what_the_catalog_says_and_no_more(self, route, caller, mint):
        for role in EVERY_ROLE:
            for place, url in caller.places(route).items():
                token = mint.token(roles=[role], sub=str(uuid4()))
                answer = caller.ask(url, route, address(route), token)
                judge(answer, route, is_let_in=allows(role, route), about=(role, place))

    @pytest.mark.parametrize("route", GUARDED, ids=name_of)
    def test_at_a_course_or_cohort_opens_what_is_scoped_and_no_more(self, route, caller, mint):
        for role in EVERY_ROLE:
            scopes = [f"{role}@{scope}" for scope in AT_NOWHERE]
            for place, url in caller.places(route).items():
                token = mint.token(roles=[], scopes=scopes, sub=str(uuid4()))
                answer = caller.ask(url, route, address(route), token)
                let_in = route.scoped and allows(role, route)
                judge(answer, route, is_let_in=let_in, about=(role, place))

    @pytest.mark.parametrize("route", GUARDED, ids=name_of)
    def test_that_nobody_knows_opens_nothing(self, route, caller, mint):
        token = mint.token(roles=["root"], scopes=["root@course:nowhere"], sub=str(uuid4()))
        for place, url in caller.places(route).items():
            answer = caller.ask(url, route, address(route), token)
            judge(answer, route, is_let_in=False, about=place)


def judge(answer, route, *, is_let_in, about):
    """Whoever is let in is judged by what they ask for; others hear what they lack."""
    assert answer.status_code < 500, (about, answer.text)
    if is_let_in:
        assert answer.status_code != 401, (about, answer.text)
        refusal = answer.json() if answer.status_code == 403 else {}
        assert refusal.get("detail") != DENIALS[route.permission] or route.scoped, about
    else:
        assert answer.status_code == 403, (about, answer.text)
        assert answer.json()["detail"] == DENIALS[route.permission]


@pytest.fixture(scope="session")
def owned(target):
    """Parameters that name what one learner and their tenant own, and the learner."""
    names, learner = lived_in(target)
    with closing(learner):
        yield names, learner


def _touching(kinds):
    return [route for route in GUARDED if parameters(route) & kinds]


class TestOwnership:
    @pytest.mark.parametrize("route", _touching(PERSONAL), ids=name_of)
    def test_of_anothers_things_reads_as_if_there_were_none(self, route, caller, mint, owned):
        known, _ = owned
        for tenant in ("demo", OTHER_TENANT):
            who = {"sub": str(uuid4()), "roles": EVERY_ROLE, "tenant": tenant}
            self._compare(route, caller, mint.token(**who), known, hidden=PERSONAL)

    @pytest.mark.parametrize("route", _touching(TENANTS), ids=name_of)
    def test_of_another_tenants_things_reads_as_if_there_were_none(
        self, route, caller, mint, owned
    ):
        known, _ = owned
        who = {"sub": str(uuid4()), "roles": EVERY_ROLE, "tenant": OTHER_TENANT}
        self._compare(route, caller, mint.token(**who), known, hidden=set(known))

    def test_is_unharmed_by_all_this(self, owned):
        known, learner = owned
        goals = learner.get("/v1/profile/goals")["items"]
        assert [goal["title"] for goal in goals] == ["Understand variance"]
        assert known["session_id"] in {
            one["id"] for one in learner.get("/v1/account/sessions")["items"]
        }
        assert learner.get(f"/v1/attempts/{known['attempt']}/result")["score"]
        assert learner.get(f"/v1/courses/{known['course']}")["version"] == 2
        assert learner.get(f"/v1/exams/{known['exam']}")["name"] == known["exam"]

    def _compare(self, route, caller, token, known, hidden):
        """The route answers the same of what is another's as of what does not exist."""
        hidden = hidden | {"name"}
        body, deleted = BODIES.get(name_of(route)), {204} if route.method == "DELETE" else set()
        for place, url in caller.places(route).items():
            refusals = []
            names = known | {"name": known["pool" if "/pools/" in route.path else "exam"]}
            rest = {name: value for name, value in names.items() if name not in hidden}
            for path in (address(route, names), address(route, rest)):
                key = {"idempotency-key": str(uuid4())}
                answer = caller.ask(url, route, path, token, body, **key)
                assert answer.status_code in REFUSALS | deleted, (place, answer.text)
                refusals.append(told(answer, path))
            assert refusals[0] == refusals[1], place
