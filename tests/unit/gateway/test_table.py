"""Addresses find their routes, and nothing else does."""

import json

import pytest

from kourse.contracts.permissions import Permission
from kourse.gateway.table import Route, RouteTable, load_table


def route(path, method="GET", service="course", permission=None):
    return Route(method, path, service, permission)


TABLE = RouteTable(
    [
        route("/v1/courses"),
        route("/v1/courses/{course}"),
        route("/v1/courses/{course}", "DELETE"),
        route("/v1/courses/featured/lessons"),
        route("/v1/courses/{course}/lessons/{lesson}"),
    ]
)


class TestFind:
    @pytest.mark.parametrize(
        ("path", "template"),
        [
            ("/v1/courses", "/v1/courses"),
            ("/v1/courses/statistics", "/v1/courses/{course}"),
            ("/v1/courses/featured", "/v1/courses/{course}"),
            ("/v1/courses/featured/lessons", "/v1/courses/featured/lessons"),
            ("/v1/courses/featured/lessons/one", "/v1/courses/{course}/lessons/{lesson}"),
        ],
    )
    def test_prefers_literals_and_goes_back_where_they_lead_nowhere(self, path, template):
        assert TABLE.find(path)["GET"].path == template

    @pytest.mark.parametrize(
        "path", ["/", "", "/v1", "/v1/courses/", "/v1/courses//lessons/x", "/v1/course", "/v1/courses/a/b"]
    )  # fmt: skip
    def test_finds_nothing_elsewhere(self, path):
        assert not TABLE.find(path)

    def test_tells_all_methods_of_an_address(self):
        assert set(TABLE.find("/v1/courses/x")) == {"GET", "DELETE"}


class TestLoadTable:
    def test_reads_permissions_of_the_catalog(self, tmp_path):
        rows = [
            {"method": "GET", "path": "/a", "service": "s", "permission": "public"},
            {"method": "GET", "path": "/b", "service": "s", "permission": "points:own"},
        ]
        (tmp_path / "routes.json").write_text(json.dumps(rows))

        table = load_table(tmp_path / "routes.json")

        assert table.find("/a")["GET"].permission is None
        assert table.find("/b")["GET"].permission is Permission.POINTS_OWN

    def test_refuses_permissions_that_do_not_exist(self, tmp_path):
        row = {"method": "GET", "path": "/a", "service": "s", "permission": "points:all"}
        (tmp_path / "routes.json").write_text(json.dumps([row]))

        with pytest.raises(ValueError, match="points:all"):
            load_table(tmp_path / "routes.json")

    def test_waits_long_for_plans_programs_and_the_reading_of_files_alone(self):
        patient = {route.path for route in load_table().routes if route.patient}

        assert patient == {
            "/v1/attempts/{attempt}/answers/{slot}/files/{file_id}/stored",
            "/v1/authoring/plans/assessments",
            "/v1/authoring/plans/cohorts",
            "/v1/authoring/plans/courses",
            "/v1/courses/{course}/assignments/{assignment}/files/{file_id}/stored",
            "/v1/practice/{pool}/{question}/answers",
        }

    def test_streams_the_live_feed_alone(self):
        streams = {route.path for route in load_table().routes if route.streams}

        assert streams == {"/v1/dashboard/stream", "/v1/notifications/stream"}

    def test_has_no_internal_address_in_the_real_table(self):
        paths = {route.path for route in load_table().routes}

        assert "/v1/auth/token" not in paths
        assert not any(path.startswith(("/metrics", "/livez", "/readyz")) for path in paths)
