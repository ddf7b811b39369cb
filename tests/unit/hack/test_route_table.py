"""The route table says what routers demand, and refuses routers that demand nothing."""

from types import SimpleNamespace
from typing import Annotated

import pytest
from fastapi import APIRouter

from hack.gen import outputs, routes
from kourse.contracts.permissions import Permission
from kourse.kit.auth import Actor, allow, internal, public


def offering(monkeypatch, **routers):
    """Services with these routers, and no others, not even the kit's."""
    monkeypatch.setattr(routes, "SERVICES", tuple(routers))
    monkeypatch.setattr(routes, "operations_router", lambda _name: APIRouter())
    monkeypatch.setattr(
        routes, "import_from", lambda name, _module: SimpleNamespace(router=routers[name])
    )


def router(path, *dependencies):
    made = APIRouter()

    @made.get(path, dependencies=list(dependencies))
    async def read() -> str:
        return ""

    return made


class TestRouteTable:
    def test_names_method_path_service_and_permission(self, monkeypatch):
        course = APIRouter(prefix="/v1")

        @course.post("/courses/{course}/enrolments")
        async def enrol(
            course: str, actor: Annotated[Actor, allow(Permission.COURSE_ENROL)]
        ) -> str:
            return course

        offering(monkeypatch, course=course, identity=router("/v1/auth/x", public))

        (table,) = routes.files().values()

        assert table.decode() == (
            '[\n  {"method": "GET", "path": "/v1/auth/x", "service": "identity",'
            ' "permission": "public"},\n'
            '  {"method": "POST", "path": "/v1/courses/{course}/enrolments", "service": "course",'
            ' "permission": "course:enrol"}\n]\n'
        )

    def test_finds_permissions_behind_other_dependencies_and_in_inner_routers(self, monkeypatch):
        outer, inner = APIRouter(), APIRouter()

        async def author(actor: Annotated[Actor, allow(Permission.COURSE_AUTHOR)]) -> Actor:
            return actor

        from fastapi import Depends

        @inner.get("/b")
        async def read(actor: Annotated[Actor, Depends(author)]) -> str:
            return str(actor)

        outer.include_router(inner, prefix="/a")
        offering(monkeypatch, course=outer)

        (table,) = routes.files().values()

        assert b'"path": "/a/b", "service": "course", "permission": "course:author"' in table

    def test_leaves_internal_routes_out(self, monkeypatch):
        offering(monkeypatch, identity=router("/v1/auth/token", internal))

        assert list(routes.files().values()) == [b"[\n\n]\n"]

    def test_refuses_routes_that_demand_nothing(self, monkeypatch):
        offering(monkeypatch, course=router("/v1/open"))

        with pytest.raises(ValueError, match=r"GET /v1/open"):
            routes.files()

    def test_refuses_an_address_that_two_services_offer(self, monkeypatch):
        offering(monkeypatch, course=router("/v1/x", public), profile=router("/v1/x", public))

        with pytest.raises(ValueError, match="offered twice"):
            routes.files()


class TestOutputs:
    def test_write_what_differs_and_remove_what_is_stale(self, tmp_path, monkeypatch):
        monkeypatch.setattr(outputs, "ROOT", tmp_path)
        (tmp_path / "same").write_text("a")
        (tmp_path / "old").write_text("b")
        files = {tmp_path / "same": b"a", tmp_path / "new" / "file": b"c"}

        assert outputs.drift(files, [tmp_path / "old"]) == ["new/file", "old"]
        assert outputs.write(files, [tmp_path / "old"]) == ["new/file", "old"]
        assert outputs.drift(files) == []
        assert not (tmp_path / "old").exists()
