"""Every route that the gateway offers, and what it asks of its caller."""

import json
from pathlib import Path

import pytest

from kourse.contracts.names import SERVICES
from kourse.contracts.permissions import ROLE_PERMISSIONS, Permission, Role

TABLE = Path(__file__).parents[2] / "services" / "kourse" / "gateway" / "routes.json"
ROUTES = json.loads(TABLE.read_text())
PUBLIC = {
    "GET /.well-known/jwks.json",
    "GET /v1/auth/sso/callback",
    "GET /v1/auth/sso/login",
    "GET /v1/calendars/{tenant}/{key}",
    "POST /v1/auth/sso/backchannel-logout",
    "GET /v1/notifications/unsubscribe/{tenant}/{key}",
    "POST /v1/auth/accept-invitation",
    "POST /v1/auth/login",
    "POST /v1/auth/refresh",
    "POST /v1/auth/register",
    "POST /v1/auth/request-password-reset",
    "POST /v1/auth/reset-password",
    "POST /v1/auth/verify-email",
    "POST /v1/oauth/token",
    "POST /v1/notifications/unsubscribe/{tenant}/{key}",
}
"""Routes without a token; a new one is added here on purpose or not at all."""


def name(route):
    return f"{route['method']} {route['path']}"


class TestTable:
    @pytest.mark.parametrize("route", ROUTES, ids=name)
    def test_every_route_names_a_permission_of_the_catalog_or_is_public(self, route):
        assert route["permission"] == "public" or Permission(route["permission"])

    @pytest.mark.parametrize("route", ROUTES, ids=name)
    def test_every_route_belongs_to_a_service(self, route):
        assert route["service"] in SERVICES

    def test_public_routes_are_exactly_these(self):
        assert {name(route) for route in ROUTES if route["permission"] == "public"} == PUBLIC

    def test_every_service_offers_something(self):
        assert {route["service"] for route in ROUTES} == set(SERVICES)

    def test_every_permission_opens_a_route(self):
        used = {route["permission"] for route in ROUTES}

        assert {permission.value for permission in Permission} - used == set()

    def test_learners_reach_no_authoring_route(self):
        authoring = {
            Permission(route["permission"]) for route in ROUTES if "/authoring/" in route["path"]
        }

        assert authoring
        assert not authoring & ROLE_PERMISSIONS[Role.LEARNER]
