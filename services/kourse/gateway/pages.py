"""The pages of the gateway itself: the API's description, for machines and for people."""

from __future__ import annotations

from pathlib import Path

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from kourse.gateway.description import Description
from kourse.gateway.downgrade import to_30
from kourse.gateway.headers import SECURITY
from kourse.kit.http.problems import on_http_exception

PAGES = ("/openapi.json", "/docs")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Everything comes from here; inline styles are what the page's own scripts write."""
_FILES = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon-32x32.png": "image/png",
}
_HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><title>kourse API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<main id="api"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "/docs/openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null,
  persistAuthorization: false, tryItOutEnabled: true,
});
"""


def pages(description: Description) -> Starlette:
    """An application for ``/openapi.json`` and everything below ``/docs``."""

    async def openapi(_request: Request) -> Response:
        return _json(await description.document())

    async def openapi_30(_request: Request) -> Response:
        return _json(to_30(await description.document()))

    return Starlette(
        routes=[
            Route("/openapi.json", openapi),
            Route("/docs", _page),
            Route("/docs/", _to_page),
            Route("/docs/openapi.json", openapi_30),
            Route("/docs/start.js", _start),
            Route("/docs/{name}", _file),
        ],
        exception_handlers={HTTPException: on_http_exception},
    )


async def _page(_request: Request) -> Response:
    return HTMLResponse(_HTML, headers=_headers())


async def _to_page(_request: Request) -> Response:
    return RedirectResponse("/docs", headers=_headers())


async def _start(_request: Request) -> Response:
    return Response(_START, headers=_headers(), media_type="text/javascript")


async def _file(request: Request) -> Response:
    """One of the three files of Swagger UI that the page needs."""
    name = request.path_params["name"]
    if name not in _FILES:
        raise HTTPException(404)
    headers = {**_headers(), "cache-control": "public, max-age=86400"}
    return FileResponse(_bundle() / name, headers=headers, media_type=_FILES[name])


def _bundle() -> Path:
    from swagger_ui_bundle import swagger_ui_path

    return Path(str(swagger_ui_path))


def _headers() -> dict[str, str]:
    return {**SECURITY, "content-security-policy": _POLICY}


def _json(document: object) -> Response:
    headers = {**SECURITY, "cache-control": "public, max-age=60"}
    return Response(orjson.dumps(document), headers=headers, media_type="application/json")
