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

from support.permission_matrix import EVERY_ROLE, ROUTES, Mint, allows, local_address, name_of
from support.world import lived_in

CASES = 6
"""Cases of each kind for each route; the seed is fixed, so every run draws the same."""
NOTHING_TO_BREAK = {"/.well-known/jwks.json"}
"""Routes that take nothing, so there is nothing that does not fit."""
ENDING = [route for route in ROUTES if not route.streams]
"""Routes whose answer can be read to its end."""
CONFORMS = [content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def schema(target):
    with closing(requests.get(f"{target.url}/openapi.json", timeout=60)) as answer:
        return schemathesis.openapi.from_dict(answer.json())


@pytest.fixture(scope="module")
def mint(state):
    return Mint(state)


@pytest.fixture(scope="module")
def names(target):
    """What the parameters name that name something."""
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


def _known(case, names):
    return {name: names[name] for name in case.path_parameters if name in names}
